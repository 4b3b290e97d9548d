import type { KeptInBroker } from "@synap/handlers/internal";
import { NotReadyError, type ReadinessCheck } from "@synap/service";
import { z } from "zod";
import type { EventDestination } from "./event-api.ts";

/** Time limit of a check, in milliseconds. */
const CHECK_TIMEOUT_MS = 1_500;

/**
 * Checks that a server answers at the address to which events are sent. Only a 5xx counts as a failure: self-hosted Inngest
 * has `/health`, and a 404 from another server still shows that it runs.
 */
export function brokerCheck(broker: EventDestination): ReadinessCheck {
  return {
    name: "broker",
    check: async () => {
      if (broker.mode === "cloud" && broker.eventKey === undefined)
        throw new NotReadyError("broker-key-missing");
      const status = await ask(new URL("health", broker.eventBaseUrl));
      if (status < 500) return;
      throw new NotReadyError("broker-failing", {
        cause: new Error(`${broker.eventBaseUrl} answers ${status}`),
      });
    },
  };
}

async function ask(url: URL): Promise<number> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const { cause } = error instanceof Error ? error : new Error(String(error));
    const reason = cause instanceof Error && "code" in cause ? cause.code : error;
    const fault = new Error(`nothing answers at ${url.origin} (${reason})`, { cause: error });
    throw new NotReadyError("broker-unreachable", { cause: fault });
  }
}

const keptSchema: z.ZodType<KeptInBroker> = z.object({
  unmatchedEvents: z.int().nonnegative(),
  failingHandlers: z.int().nonnegative(),
});

/** Time limit of reading it, in milliseconds. */
const KEPT_TIMEOUT_MS = 1_000;

/** Reads the work that the broker keeps. Undefined if the broker does not report it, as an Inngest server does not. */
export function createKeptReader({
  eventBaseUrl,
}: Pick<EventDestination, "eventBaseUrl">): () => Promise<KeptInBroker | undefined> {
  const address = new URL("kept", eventBaseUrl);
  return async () => {
    try {
      const response = await fetch(address, { signal: AbortSignal.timeout(KEPT_TIMEOUT_MS) });
      return keptSchema.parse(await response.json());
    } catch {
      return undefined;
    }
  };
}
