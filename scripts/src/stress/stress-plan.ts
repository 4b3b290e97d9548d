import { z } from "zod";

/** A writer. */
const writerSchema = z.object({ kind: z.literal("writer"), number: z.number() });

const readerSchema = z.object({
  kind: z.literal("reader"),
  number: z.number(),
  /** Start position: the first event, or the end of the log when it starts. */
  from: z.enum(["start", "now"]),
  /** Delay after the start of the run, in milliseconds: events stored by then have to be caught up with. */
  delayMs: z.number(),
  /** Only events of streams of this type. */
  aggregateType: z.string().optional(),
});

/** Plan of one process: the database and the roles that it runs. */
export const processPlanSchema = z.object({
  name: z.string(),
  database: z.union([z.object({ url: z.string() }), z.object({ dataDirectory: z.string() })]),
  /** Directory of the journals. */
  directory: z.string(),
  seed: z.number(),
  /** Number of earlier starts. */
  restarts: z.number(),
  /** The longest pause with a transaction open, in milliseconds. */
  longPauseMs: z.number(),
  roles: z.array(z.discriminatedUnion("kind", [writerSchema, readerSchema])),
  /** True for the only process on an embedded database, which appends the end marker itself. */
  appendsEndMarker: z.boolean(),
});

export type ProcessPlan = z.infer<typeof processPlanSchema>;
export type WriterRole = z.infer<typeof writerSchema>;
export type ReaderRole = z.infer<typeof readerSchema>;

/** Progress message of a process: the counts since its last one. */
export const progressSchema = z.object({
  acknowledged: z.number(),
  read: z.number(),
  refused: z.number(),
});

export type Progress = z.infer<typeof progressSchema>;

/** Readers of every kind, in turn. */
export function readerRoles(count: number, runMs: number): ReaderRole[] {
  const kinds = [
    { from: "start", delayMs: 0 },
    { from: "now", delayMs: runMs / 10 },
    { from: "start", delayMs: runMs / 2 },
    { from: "start", delayMs: 0, aggregateType: "counter" },
  ] as const;
  return Array.from({ length: count }, (_, index) => ({
    kind: "reader",
    number: index + 1,
    ...(kinds[index % kinds.length] ?? kinds[0]),
  }));
}

/** A reader as the report names it. */
export function describeReader({ number, from, delayMs, aggregateType }: ReaderRole): string {
  const what = aggregateType === undefined ? "" : `, ${aggregateType} streams`;
  if (from === "now") return `${number} live${what}`;
  return `${number} ${delayMs > 0 ? "late, " : ""}from the start${what}`;
}
