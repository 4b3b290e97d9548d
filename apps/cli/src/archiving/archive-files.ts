import { createHash } from "node:crypto";
import {
  type ArchiveDestination,
  ArchiveFileBrokenError,
  ArchiveFileMissingError,
  type ArchiveFormatName,
  type ArchiveRow,
  archiveFormat,
} from "@synap/archive";
import type { SqlSession } from "@synap/database";
import {
  ArchiveDamagedError,
  type ArchivedFile,
  BlockCheck,
  digestRows,
  type EventColumn,
  type EventsDigest,
  RunningDigest,
} from "@synap/database/internal";

/** Rows that are sent to the database at a time, and about as many characters. */
const ROWS_AT_ONCE = 1_000;
const CHARACTERS_AT_ONCE = 4_000_000;

/** Thrown when a signal ended the command. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  readonly code = "INTERRUPTED";

  constructor() {
    super("Interrupted. Run it again to go on.");
  }
}

/** Writes a file, and measures it. */
export async function writeFile(
  destination: ArchiveDestination,
  name: string,
  content: AsyncIterable<Uint8Array>,
): Promise<ArchivedFile> {
  const measured = measure(content);
  await destination.write(name, measured.content);
  return { name, ...measured.end() };
}

function measure(content: AsyncIterable<Uint8Array>) {
  const hash = createHash("sha256");
  let bytes = 0;
  async function* passing() {
    for await (const part of content) {
      hash.update(part);
      bytes += part.byteLength;
      yield part;
    }
  }
  return { content: passing(), end: () => ({ bytes, sha256: hash.digest("hex") }) };
}

/** A file of events: where, and how it is written. */
export interface EventFile {
  readonly destination: ArchiveDestination;
  readonly name: string;
  readonly format: ArchiveFormatName;
}

/** Reads the rows of a file in parts that the database takes at once. */
export async function* readRows(
  { destination, name, format }: EventFile,
  columns: readonly EventColumn[],
  signal: AbortSignal,
  content: AsyncIterable<Uint8Array> = destination.read(name),
): AsyncGenerator<readonly ArchiveRow[], void, void> {
  let rows: ArchiveRow[] = [];
  let characters = 0;
  for await (const batch of archiveFormat(format).decode(columns, content)) {
    for (const row of batch) {
      rows.push(row);
      characters += (row["data"]?.length ?? 0) + (row["metadata"]?.length ?? 0);
      if (rows.length < ROWS_AT_ONCE && characters < CHARACTERS_AT_ONCE) continue;
      if (signal.aborted) throw new InterruptedError();
      yield rows;
      rows = [];
      characters = 0;
    }
  }
  yield rows;
}

/** The result of reading an archived chunk back. */
export interface ReadBack extends EventsDigest {
  readonly file: ArchivedFile;
  /** The blocks of the hash chain that its events don't make. */
  readonly differing: readonly number[];
}

/** True for the error of a file that is gone, can't be read, or has other events than it should. */
export function isFault(error: unknown): error is Error {
  return (
    error instanceof ArchiveDamagedError ||
    error instanceof ArchiveFileMissingError ||
    error instanceof ArchiveFileBrokenError ||
    error instanceof RangeError
  );
}

/** Reads a file of events back and digests it, and compares its events with blocks of the hash chain. */
export async function readBack(
  session: SqlSession,
  file: EventFile,
  columns: readonly EventColumn[],
  signal: AbortSignal,
  check: BlockCheck = new BlockCheck([]),
): Promise<ReadBack> {
  const { destination, name } = file;
  const measured = measure(destination.read(name));
  const digest = new RunningDigest();
  for await (const rows of readRows(file, columns, signal, measured.content)) {
    for (const event of await digestRows(session, columns, rows)) {
      digest.add(event);
      check.add(event);
    }
  }
  return { ...digest.end(), file: { name, ...measured.end() }, differing: check.end() };
}
