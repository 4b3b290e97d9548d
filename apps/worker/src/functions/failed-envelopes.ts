import { randomUUID } from "node:crypto";
import { describeFailure, INGEST_HANDLER, keepAccepted, readEnvelope } from "@synap/handlers/internal";
import { describeZodIssues, ENVELOPE_EVENT_NAME } from "@synap/types/internal";
import type { Inngest } from "inngest";
import { z } from "zod";
import { salvageEnvelope } from "../envelopes/salvage-envelope.ts";
import type { EnvelopeStore } from "../envelopes/store-envelope.ts";
import { type IngestOptions, UnreadableEnvelopeError } from "./ingest-events.ts";
import { MAX_RETRIES, retryLater, StoreFailedError } from "./retry-schedule.ts";

/**
 * Number of attempts after which the run pauses, which resets Inngest's count of attempts. A run that has used all of them
 * fails, and its events would not reach the log. The remaining attempts are reserved for calls that don't reach this worker.
 */
const ATTEMPTS_BEFORE_PAUSE = MAX_RETRIES - 5;
const PAUSE = "1h";

const CANCELLED = "inngest/function.cancelled";

/** Inngest's report of a run that failed or was cancelled. */
const endedRun = z.looseObject({
  run_id: z.string(),
  error: z.looseObject({ name: z.string().default("Error"), message: z.string().default("") }).optional(),
  event: z.looseObject({ id: z.string().optional(), data: z.looseObject({}) }),
});

/**
 * Creates the function "Recover envelopes that could not be stored", which handles every envelope whose run of
 * `ingest-events` failed permanently or was cancelled, so that none of its events is lost.
 *
 * The SDK's `onFailure` is not used, because Inngest tries it only twice. Everything in this function is idempotent, so its
 * only step is the pause that resets its attempts.
 */
export function failedEnvelopes(
  client: Inngest.Any,
  store: EnvelopeStore,
  { retries = MAX_RETRIES, logger }: Pick<IngestOptions, "retries" | "logger">,
) {
  const condition = `event.data.function_id == '${client.id}-${INGEST_HANDLER}'`;
  return client.createFunction(
    {
      id: `${INGEST_HANDLER}-failure`,
      name: "Recover envelopes that could not be stored",
      triggers: [
        { event: "inngest/function.failed", if: condition },
        { event: CANCELLED, if: condition },
      ],
      retries: MAX_RETRIES,
    },
    async ({ event: ended, attempt, step }) => {
      const keep = async (envelope: string | undefined, data: unknown, code: string, reason: string) => {
        const deadLetter = { code, reason, attempts: retries + 1 };
        try {
          return { deadLetter: await keepAccepted(store.database, data, deadLetter), reason };
        } catch (error) {
          if (attempt >= ATTEMPTS_BEFORE_PAUSE) {
            const facts = { envelope, data, err: error };
            logger.error(
              facts,
              `accepted events exist only in this run of Inngest: it is repeated after ${PAUSE}`,
            );
            // A new id, because Inngest would skip a pause that it has already run.
            await step.sleep(`pause ${randomUUID()}`, PAUSE);
          }
          throw retryLater(error, attempt);
        }
      };
      const reading = endedRun.safeParse(ended.data, { reportInput: true });
      if (!reading.success) {
        // Another version of Inngest may use another format, so the whole report is kept: it contains the envelope.
        const reason = `Inngest reported a failed run in an unknown format: ${describeZodIssues(reading.error.issues, "it")}`;
        logger.error({ err: reading.error }, "the report of a failed run cannot be read");
        return keep(undefined, ended.data, "envelope-unreadable", reason);
      }
      const run = reading.data;
      const original = run.event;
      if (ended.name === CANCELLED) {
        logger.error({ envelope: original.id }, "the run that stores an envelope was cancelled");
        const reason = "the run that stores it was cancelled";
        return keep(original.id, original.data, "envelope-cancelled", reason);
      }
      const failure = run.error ?? { name: "Error", message: "" };
      if (failure.name === UnreadableEnvelopeError.name) return "the unreadable envelope is a dead letter";
      const envelope = failure.name === StoreFailedError.name ? await readEnvelope(original.data) : undefined;
      if (envelope?.ok) {
        try {
          const salvaged = await salvageEnvelope(store, envelope.events, retries + 1);
          if (salvaged.deadLettered > 0) {
            logger.error({ envelope: original.id, ...salvaged }, "events of an envelope could not be stored");
          }
          return salvaged;
        } catch (interruption) {
          const { reason } = describeFailure(interruption);
          logger.warn({ envelope: original.id }, `storing its events one by one was interrupted: ${reason}`);
        }
      }
      // The store was unavailable, or Inngest could not reach this worker, so the events are not the cause. Inngest has
      // given up on that run and ignores another event with the same id, so the envelope is published under a new id.
      const id = `${original.id ?? run.run_id}.again.${run.run_id}`;
      try {
        await client.send({ id, name: ENVELOPE_EVENT_NAME, data: original.data });
      } catch (refusal) {
        // Inngest calls this worker but accepts no event. As a last resort, the whole envelope becomes a dead letter.
        logger.error({ envelope: original.id, err: refusal }, "Inngest does not accept an envelope again");
        return keep(original.id, original.data, "envelope-undeliverable", describeFailure(refusal).reason);
      }
      logger.warn({ envelope: original.id, again: id }, `envelope published again after ${failure.message}`);
      return { publishedAgain: id };
    },
  );
}
