import { createSynapClient } from "@synap/client";

/** The part of the product's status that measurements use. */
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

/** Reads the public status, once. @throws the client's errors, also when no answer comes within ten seconds */
export async function readStatus(apiUrl: string): Promise<ProductStatus> {
  const synap = createSynapClient({ url: apiUrl, timeoutMs: 10_000, retry: { attempts: 1 } });
  const { events, handlers, deadLetters, publisher } = await synap.status();
  return {
    stored: events.stored,
    projected: events.stored - Math.max(0, ...handlers.map(({ lag }) => lag)),
    handlers: handlers.map(({ name }) => name),
    deadLetters,
    queued: publisher.queuedEvents,
  };
}
