import type { ReportLogger } from "@synap/database";
import { INGEST_HANDLER, keepAccepted, readEnvelope } from "@synap/handlers/internal";
import type { SynapEvent } from "@synap/types";
import { counted, ENVELOPE_EVENT_NAME } from "@synap/types/internal";
import { type Inngest, NonRetriableError } from "inngest";
import { hasTimedOutTooOften, salvageEnvelope } from "../envelopes/salvage-envelope.ts";
import { type EnvelopeStore, storeEnvelope } from "../envelopes/store-envelope.ts";
import { MAX_RETRIES, type Retries, retryLater } from "./retry-schedule.ts";

/** Thrown when a published envelope is unreadable. It is a dead letter as a whole; retrying can't help. */
export class UnreadableEnvelopeError extends NonRetriableError {
  override readonly name = "UnreadableEnvelopeError";
}

/** Options of the function. */
export interface IngestOptions {
  /** Number of envelopes stored concurrently. */
  readonly concurrency: number;
  /** Number of retries. Default: as many as Inngest allows. */
  readonly retries?: Retries;
  readonly logger: ReportLogger;
}

/** Creates the function "Store published events", which appends the events of envelopes to the store. */
export function ingestEvents(client: Inngest.Any, store: EnvelopeStore, options: IngestOptions) {
  const { concurrency, retries = MAX_RETRIES, logger } = options;
  /** Stores the events one by one. An event whose inline handler times out again becomes a dead letter of that handler. */
  const storeOneByOne = async (events: readonly SynapEvent[], attempt: number, id: string | undefined) => {
    try {
      const salvaged = await salvageEnvelope(store, events, attempt + 1, store.dispatcher.lastResort);
      logger.warn({ envelope: id, ...salvaged }, "stored one by one, because the append timed out each time");
      return salvaged;
    } catch (error) {
      throw retryLater(error, attempt);
    }
  };
  return client.createFunction(
    {
      id: INGEST_HANDLER,
      name: "Store published events",
      triggers: [{ event: ENVELOPE_EVENT_NAME }],
      concurrency: { limit: concurrency },
      retries,
    },
    async ({ event, step, attempt }) => {
      const envelope = await readEnvelope(event.data);
      if (!envelope.ok) {
        const { reason } = envelope;
        await step.run("keep the unreadable envelope as a dead letter", async () => {
          try {
            await keepAccepted(store.database, event.data, {
              code: "envelope-unreadable",
              reason,
              attempts: attempt + 1,
            });
          } catch (error) {
            throw retryLater(error, attempt);
          }
        });
        throw new UnreadableEnvelopeError(`the envelope cannot be read: ${reason}`);
      }
      // Not a step: storing is idempotent, and a step would cost one more call to Inngest.
      try {
        const outcome = await storeEnvelope(store, envelope.events);
        const { stored, duplicates, rejected } = outcome;
        const summary = `${counted(stored, "event")} stored, ${duplicates} already stored, ${rejected} refused`;
        // Accepted events that are not in the log must never go unnoticed.
        if (rejected > 0) logger.error({ envelope: event.id, ...outcome }, summary);
        else logger.info({ envelope: event.id }, summary);
        return outcome;
      } catch (error) {
        if (hasTimedOutTooOften(error, attempt)) return storeOneByOne(envelope.events, attempt, event.id);
        const later = retryLater(error, attempt);
        logger.warn(
          { envelope: event.id, attempt: attempt + 1 },
          `${later.message}; again in ${later.retryAfter} s`,
        );
        throw later;
      }
    },
  );
}
