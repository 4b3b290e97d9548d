import type { EventBatch } from "@synap/database";
import { z } from "zod";
import { JournalFile, readJournal } from "./journal-file.ts";

const lineSchema = z.union([
  z.object({ beginsAfter: z.number() }),
  z.object({
    /** The checkpoint. */
    position: z.number(),
    /** Of each event: position, id, stream, stream version. */
    events: z.array(z.tuple([z.number(), z.string(), z.string(), z.number()])),
  }),
]);

/** An event as a reader got it. */
export interface ReadEvent {
  readonly position: number;
  readonly id: string;
  readonly stream: string;
  readonly version: number;
}

/** Every event that a reader got, across its restarts. */
export interface Reading {
  /** The position after which it began; undefined when it never got that far. */
  readonly beginsAfter: number | undefined;
  readonly events: readonly ReadEvent[];
}

/**
 * Records a reader's events together with its checkpoint, in one line. So both are there
 * or neither, as for a read model in the store's database, and nothing may be repeated after a kill.
 */
export class ReaderJournal {
  readonly #file: JournalFile;
  /** Checkpoint to resume from; undefined for a new reader. */
  checkpoint: number | undefined;

  constructor(path: string) {
    for (const line of readLines(path)) {
      this.checkpoint = "beginsAfter" in line ? line.beginsAfter : line.position;
    }
    this.#file = new JournalFile(path);
  }

  begin(position: number): void {
    this.#file.append({ beginsAfter: position });
    this.checkpoint = position;
  }

  write({ position, events }: EventBatch): void {
    const rows = events.map((event) => [event.position, event.id, nameOf(event), event.streamVersion]);
    this.#file.append({ position, events: rows });
    this.checkpoint = position;
  }
}

export function readReaderJournal(path: string): Reading {
  let beginsAfter: number | undefined;
  const events: ReadEvent[] = [];
  for (const line of readLines(path)) {
    if ("beginsAfter" in line) beginsAfter = line.beginsAfter;
    else
      for (const [position, id, stream, version] of line.events)
        events.push({ position, id, stream, version });
  }
  return { beginsAfter, events };
}

function readLines(path: string): z.infer<typeof lineSchema>[] {
  return readJournal(path).map((line) => lineSchema.parse(line));
}

/** Key of a stream in the journals. */
export function nameOf({
  aggregateType,
  aggregateId,
}: {
  aggregateType: string;
  aggregateId: string;
}): string {
  return `${aggregateType}/${aggregateId}`;
}
