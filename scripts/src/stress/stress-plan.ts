import { z } from "zod";

/** Appends, with everything that makes appending hard to follow. */
const writerSchema = z.object({ kind: z.literal("writer"), number: z.number() });

const readerSchema = z.object({
  kind: z.literal("reader"),
  number: z.number(),
  /** Where it begins: with the first event, or with what is stored once it runs. */
  from: z.enum(["start", "now"]),
  /** How long after the start of the run it begins, in milliseconds: what is there by then it has to catch up with. */
  delayMs: z.number(),
  /** Only events of streams of this type. */
  aggregateType: z.string().optional(),
});

/** What one process of a run is told: the database, and who works in it. */
export const processPlanSchema = z.object({
  name: z.string(),
  database: z.union([z.object({ url: z.string() }), z.object({ dataDirectory: z.string() })]),
  /** Where the journals are. */
  directory: z.string(),
  seed: z.number(),
  /** How often it was started before. */
  restarts: z.number(),
  /** The longest pause with a transaction open, in milliseconds. */
  longPauseMs: z.number(),
  roles: z.array(z.discriminatedUnion("kind", [writerSchema, readerSchema])),
  /** The process is the only one that has the database: it appends the end marker itself. */
  appendsEndMarker: z.boolean(),
});

export type ProcessPlan = z.infer<typeof processPlanSchema>;
export type WriterRole = z.infer<typeof writerSchema>;
export type ReaderRole = z.infer<typeof readerSchema>;

/** What a process tells about itself now and then: what happened since it last did. */
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
