import { z } from "zod";

const statusSchema = z.object({
  events: z.object({ stored: z.number(), lastPosition: z.number() }),
  handlers: z.array(z.object({ name: z.string(), checkpoint: z.number(), lag: z.number() })),
  deadLetters: z.number(),
  publisher: z.object({ queuedEvents: z.number() }),
});

/** What the product says about itself, as far as a measurement asks. */
export interface ProductStatus {
  /** Events in the store. */
  readonly stored: number;
  /** Events in the store that every asynchronous handler and every projection has passed. */
  readonly projected: number;
  readonly handlers: readonly string[];
  readonly deadLetters: number;
  /** Events that wait in the API. */
  readonly queued: number;
}

/** Asks `GET /api/v1/status`. @throws Error when it does not answer 200 within ten seconds */
export async function readStatus(apiUrl: string): Promise<ProductStatus> {
  const response = await fetch(`${apiUrl}/api/v1/status`, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`the status answered ${response.status}`);
  const { events, handlers, deadLetters, publisher } = statusSchema.parse(await response.json());
  return {
    stored: events.stored,
    projected: events.stored - Math.max(0, ...handlers.map(({ lag }) => lag)),
    handlers: handlers.map(({ name }) => name),
    deadLetters,
    queued: publisher.queuedEvents,
  };
}
