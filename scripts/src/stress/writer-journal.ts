import { z } from "zod";
import { JournalFile, readJournal } from "./journal-file.ts";

/** An event as its writer knows it. */
const writtenEventSchema = z.object({
  id: z.string(),
  position: z.number(),
  type: z.string(),
  stream: z.string(),
  version: z.number(),
});

export type WrittenEvent = z.infer<typeof writtenEventSchema>;

/** Outcomes of a writer's attempts, by their names in the report. */
const attemptEndings = [
  "refused",
  "rolledBack",
  "savepointsUndone",
  "deadlocks",
  "sentAgain",
  "unknown",
] as const;
export type AttemptEnding = (typeof attemptEndings)[number];

const lineSchema = z.union([
  /** The store said these are stored. */
  z.object({ acknowledged: z.array(writtenEventSchema) }),
  /** The store refused these, or their transaction or savepoint was rolled back: they must never appear. */
  z.object({ undone: z.array(z.string()) }),
  z.object({ ended: z.enum(attemptEndings) }),
  /** Events that got another response when they were sent again. */
  z.object({ answeredDifferently: z.string() }),
]);

export type WriterLine = z.infer<typeof lineSchema>;

/** The responses that a writer got, one a line, each written on receipt, so that a kill loses none that was recorded. */
export class WriterJournal {
  readonly #file: JournalFile;

  constructor(path: string) {
    this.#file = new JournalFile(path);
  }

  write(line: WriterLine): void {
    this.#file.append(line);
  }
}

/** The lines of a journal, whose writer may have been killed in the middle of one. */
export function readWriterJournal(path: string): WriterLine[] {
  return readJournal(path).map((line) => lineSchema.parse(line));
}
