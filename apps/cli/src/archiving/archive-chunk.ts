import { randomUUID } from "node:crypto";
import type { ArchiveDestination, ArchiveFormat } from "@synap/archive";
import type { Database } from "@synap/database";
import {
  ArchiveDamagedError,
  type ArchivedChunk,
  ArchiveOutdatedError,
  beginExport,
  countEvents,
  type DueChunk,
  dropArchivedChunk,
  type EventsDigest,
  eventColumns,
  exportChunk,
  extendChain,
  markVerified,
  refuseDamaged,
} from "@synap/database/internal";
import { RELEASE } from "../terminal/release.ts";
import { InterruptedError, isFault, readBack, writeFile } from "./archive-files.ts";
import { fileNameOf, writeManifest } from "./manifest.ts";

/** A place and a format for chunks, and the actor. */
export interface ArchiveRun {
  readonly database: Database;
  readonly destination: ArchiveDestination;
  readonly format: ArchiveFormat;
  readonly store: string;
  readonly by: string;
  /** Leaves the chunks in the database. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (step: "writing" | "reading back" | "dropping", events: number) => void;
}

/** Number of times that a chunk is written which gets events meanwhile. */
const MAX_ATTEMPTS = 3;

/** Brings the hash chain and the figures up to the end of the log. */
export async function catchUp(database: Database, onStep?: (step: string) => void): Promise<void> {
  while (await extendChain(database)) onStep?.("adding events to the hash chain");
  while (await countEvents(database)) onStep?.("counting events");
}

/** A chunk that was archived now. */
export interface ArchivedNow {
  readonly chunk: string;
  readonly events: number;
  /** The name of the file in the archive. */
  readonly file: string;
  readonly bytes: number;
  readonly dropped: boolean;
}

/**
 * Archives a chunk: writes it, reads it back, and drops it. What an earlier run has done is not done again, unless the chunk got other events
 * since, or is to be archived elsewhere.
 */
export async function archiveChunk(
  run: ArchiveRun,
  due: DueChunk,
  earlier: ArchivedChunk | undefined,
  attempt = 1,
): Promise<ArchivedNow> {
  const isSame =
    earlier?.state === "verified" &&
    earlier.destination === run.destination.url &&
    earlier.format === run.format.name;
  const kept = isSame ? await stillThere(run, earlier) : undefined;
  const { file, bytes, events } = kept ?? (await exportAndVerify(run, due));
  if (run.keep) return { chunk: due.chunk, events, file, bytes, dropped: false };
  run.onProgress("dropping", events);
  try {
    await dropArchivedChunk(run.database, due.chunk);
  } catch (error) {
    if (!(error instanceof ArchiveOutdatedError) || attempt === MAX_ATTEMPTS) throw error;
    // It got events since it was written. They have to be in the hash chain and in the figures too.
    await catchUp(run.database);
    return archiveChunk(run, due, undefined, attempt + 1);
  }
  return { chunk: due.chunk, events, file, bytes, dropped: true };
}

interface Kept {
  readonly events: number;
  readonly file: string;
  readonly bytes: number;
}

/** Reads the archive of an earlier run back once more; undefined if it is gone or damaged. */
async function stillThere(run: ArchiveRun, earlier: ArchivedChunk): Promise<Kept | undefined> {
  const [file] = earlier.files;
  if (file === undefined) return undefined;
  const { database, destination, format, signal } = run;
  run.onProgress("reading back", earlier.events);
  try {
    const columns = await eventColumns(database);
    const found = await readBack(
      database,
      { destination, name: file.name, format: format.name },
      columns,
      signal,
    );
    refuseDamaged(earlier, found);
    if (found.file.sha256 !== file.sha256) return undefined;
    return { events: found.events, file: file.name, bytes: found.file.bytes };
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

async function exportAndVerify(run: ArchiveRun, due: DueChunk): Promise<Kept> {
  const { database, destination, format, signal, by } = run;
  const { chunk } = due;
  const place = { destination: destination.url, format: format.name, by };
  await beginExport(database, due, place);
  const base = fileNameOf(run.store, due, randomUUID());
  const name = `${base}.${format.extension}`;
  let file = { name, bytes: 0, sha256: "" };
  const written: EventsDigest = await exportChunk(
    database,
    chunk,
    async ({ columns, rows }) => {
      file = await writeFile(destination, name, format.encode(columns, rows));
    },
    (events) => {
      if (signal.aborted) throw new InterruptedError();
      run.onProgress("writing", events);
    },
  );
  const columns = await eventColumns(database);
  const text = writeManifest(RELEASE, due, written, { format: format.name, columns, file });
  const manifest = await writeFile(destination, `${base}.manifest.json`, one(Buffer.from(text)));
  run.onProgress("reading back", written.events);
  const found = await readBack(database, { destination, name, format: format.name }, columns, signal);
  if (found.file.sha256 !== file.sha256)
    throw new ArchiveDamagedError(chunk, "it was read back with other bytes");
  if (found.events !== written.events || found.digest !== written.digest)
    throw new ArchiveDamagedError(chunk, "it was read back with other events");
  await markVerified(database, chunk, { ...written, ...place, files: [file, manifest] });
  return { events: written.events, file: name, bytes: file.bytes };
}

async function* one(content: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield content;
}
