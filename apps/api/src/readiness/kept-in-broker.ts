import type { KeptInBroker } from "@synap/handlers/internal";
import { z } from "zod";
import type { EventDestination } from "../publisher/event-api.ts";

const keptSchema: z.ZodType<KeptInBroker> = z.object({
  unmatchedEvents: z.int().nonnegative(),
  failingHandlers: z.int().nonnegative(),
});

const TIMEOUT_MS = 1_000;

/** Reads the work that the broker keeps. Undefined if the broker does not report it, as an Inngest server does not. */
export function createKeptReader({
  eventBaseUrl,
}: Pick<EventDestination, "eventBaseUrl">): () => Promise<KeptInBroker | undefined> {
  const address = new URL("kept", eventBaseUrl);
  return async () => {
    try {
      const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      return keptSchema.parse(await response.json());
    } catch {
      return undefined;
    }
  };
}
