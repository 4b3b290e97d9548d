import { z } from "zod";

/** Task of a process that makes load. */
export const loadPlanSchema = z.object({
  apiUrl: z.string(),
  /** Events a batch, and the streams that they are spread over. */
  batch: z.object({ size: z.number(), streams: z.number() }),
  /** The number of the first batch. */
  first: z.number(),
  seconds: z.number(),
  pace: z.discriminatedUnion("kind", [
    /** Each connection sends its next batch when the last one is accepted; a batch that is refused is sent again. */
    z.object({ kind: z.literal("as fast as accepted"), connections: z.number() }),
    /** Batches leave by the clock, whatever became of those before; none is sent again. */
    z.object({ kind: z.literal("by the clock"), batchesPerSecond: z.number(), maxInFlight: z.number() }),
  ]),
});
export type LoadPlan = z.infer<typeof loadPlanSchema>;

const sentBatchSchema = z.object({
  number: z.number(),
  /** When it was first sent, and when its last response was there: milliseconds since 1970. */
  sentAt: z.number(),
  answeredAt: z.number(),
  /** Its events that were answered 2xx. */
  accepted: z.union([z.literal("all"), z.array(z.number())]),
  /** HTTP status of the last response; 0 when there was none. */
  status: z.number(),
});
/** Outcome of one batch. */
export type SentBatch = z.infer<typeof sentBatchSchema>;

const tallySchema = z.object({
  /** Events answered 2xx. */
  accepted: z.number(),
  /** Requests answered 503, how many of them without Retry-After, and requests that failed in any other way. */
  shed: z.number(),
  shedWithoutRetryAfter: z.number(),
  failed: z.number(),
  /** Batches that were due while too many were under way, and were never sent. */
  unsent: z.number(),
});
/** Totals of the load so far. */
export type LoadTally = z.infer<typeof tallySchema>;

/** Messages of the process. */
export const loadMessageSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("progress"), tally: tallySchema }),
  z.object({ kind: z.literal("done"), tally: tallySchema, batches: z.array(sentBatchSchema) }),
]);
export type LoadMessage = z.infer<typeof loadMessageSchema>;

/** The time as all processes of this machine agree on: milliseconds since 1970, with fractions. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
