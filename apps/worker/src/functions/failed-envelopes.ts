import { randomUUID } from "node:crypto";
import { describeFailure, INGEST_HANDLER, keepAccepted } from "@synap/handlers/internal";
import { describeZodIssues, ENVELOPE_EVENT_NAME, envelopeSchema } from "@synap/types/internal";
import type { Inngest } from "inngest";
import { z } from "zod";
import { salvageEnvelope } from "../failed-envelope.ts";
import { MAX_RETRIES, retryLater, StoreFailedError } from "../retry-schedule.ts";
import type { EnvelopeStore } from "../store-envelope.ts";
import { type IngestOptions, UnreadableEnvelopeError } from "./ingest-events.ts";

/**
 * Attempts before the run pauses, which sets Inngest's count of attempts back to 0: a run that has used all of them is
 * failed, and its events are lost to the log. The attempts above are left for calls that do not reach this worker.
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
 * "Recover envelopes that could not be stored": takes every envelope whose run of `ingest-events` failed for good or was
 * cancelled, so that none of its events is lost silently.
 *
 * Not the SDK's `onFailure`, which Inngest tries only twice. Everything in this function is idempotent, so its only step is
 * the pause that resets its attempts.
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
              `accepted events are in this run of Inngest and nowhere else: it begins anew after ${PAUSE}`,
            );
            // A new id: a pause that Inngest remembers would end at once.
            await step.sleep(`pause ${randomUUID()}`, PAUSE);
          }
          throw retryLater(error, attempt);
        }
      };
      const reading = endedRun.safeParse(ended.data, { reportInput: true });
      if (!reading.success) {
        // Another version of Inngest may report in another form. The envelope is somewhere in the report.
        const reason = `Inngest reports a run that ended in a form unknown here: ${describeZodIssues(reading.error.issues, "it")}`;
        logger.error({ err: reading.error }, "the report of a failed run cannot be read");
        return keep(undefined, ended.data, "envelope-unreadable", reason);
      }
      const run = reading.data;
      const original = run.event;
      if (ended.name === CANCELLED) {
        logger.error({ envelope: original.id }, "the run that was to store an envelope was cancelled");
        const reason = "somebody cancelled the run that was to store it";
        return keep(original.id, original.data, "envelope-cancelled", reason);
      }
      const failure = run.error ?? { name: "Error", message: "" };
      if (failure.name === UnreadableEnvelopeError.name) return "the unreadable envelope is a dead letter";
      const envelope = envelopeSchema.safeParse(original.data);
      if (failure.name === StoreFailedError.name && envelope.success) {
        try {
          const salvaged = await salvageEnvelope(store, envelope.data.events, retries + 1);
          if (salvaged.deadLettered > 0) {
            logger.error({ envelope: original.id, ...salvaged }, "events of an envelope could not be stored");
          }
          return salvaged;
        } catch (interruption) {
          const { reason } = describeFailure(interruption);
          logger.warn({ envelope: original.id }, `storing its events one by one was interrupted: ${reason}`);
        }
      }
      // The store was away, or Inngest could not reach this worker: the events are not the cause. Inngest has
      // given up on that run and ignores a second event with the same id, so the envelope goes out under another.
      const id = `${original.id ?? run.run_id}.again.${run.run_id}`;
      try {
        await client.send({ id, name: ENVELOPE_EVENT_NAME, data: original.data });
      } catch (refusal) {
        // Inngest calls this worker but takes no event. As a last resort, the whole envelope is kept for a person to look at.
        logger.error({ envelope: original.id, err: refusal }, "Inngest does not take an envelope again");
        return keep(original.id, original.data, "envelope-undeliverable", describeFailure(refusal).reason);
      }
      logger.warn({ envelope: original.id, again: id }, `envelope published again after ${failure.message}`);
      return { publishedAgain: id };
    },
  );
}
