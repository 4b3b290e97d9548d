import { ARCHIVE_FORMATS, openArchiveDestination } from "@synap/archive";
import type { Database } from "@synap/database";
import {
  ArchiveDamagedError,
  type ArchivedChunk,
  ArchiveStateError,
  archivedBlocks,
  archivedChunks,
  BlockCheck,
  type EventColumn,
  eventColumns,
  refuseDamaged,
  restoreChunk,
} from "@synap/database/internal";
import { counted } from "@synap/types/internal";
import type { ProgressLine } from "../terminal/progress-line.ts";
import { type EventFile, isFault, readBack, readRows } from "./archive-files.ts";

/** A database with archived chunks, a signal that ends the work, and where its progress is shown. */
export interface ArchiveUse {
  readonly database: Database;
  readonly signal: AbortSignal;
  readonly line: ProgressLine;
}

/** A chunk whose archive was verified. */
export interface VerifiedChunk {
  readonly chunk: string;
  readonly events: number;
  /** Absent if it is as it was archived, and as the hash chain has it. */
  readonly fault?: string;
}

/** Reads the archives of chunks back and compares them with the hash chain: of these, or of all that are only there. */
export async function verifyArchived(
  { database, signal, line }: ArchiveUse,
  names: readonly string[],
): Promise<VerifiedChunk[]> {
  const columns = await eventColumns(database);
  const verified: VerifiedChunk[] = [];
  const chosen = await chosenChunks(
    database,
    names,
    ({ state }) => state === "dropped" || state === "verified",
  );
  for (const archived of chosen) {
    const { chunk, events } = archived;
    line.show(verified.length / chosen.length, `reading ${counted(events, "event")} of ${chunk}`);
    const fault = await faultOf(database, archived, columns, signal);
    verified.push({ chunk, events, ...(fault !== undefined && { fault }) });
  }
  line.end();
  return verified;
}

async function faultOf(
  database: Database,
  archived: ArchivedChunk,
  columns: readonly EventColumn[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const check = new BlockCheck(await archivedBlocks(database, archived.chunk));
  try {
    const found = await readBack(database, fileOf(archived), columns, signal, check);
    if (found.file.sha256 !== archived.files[0]?.sha256) return "the file has another content";
    refuseDamaged(archived, found);
    if (found.differing.length > 0)
      return `the hash chain has other events: block ${found.differing.slice(0, 10).join(", ")}`;
    return undefined;
  } catch (error) {
    if (isFault(error)) return error.message;
    throw error;
  }
}

/** A chunk that was restored. */
export interface RestoredChunk {
  readonly chunk: string;
  readonly events: number;
}

/** Writes chunks back into the database, each in a transaction. */
export async function restoreArchived(
  { database, signal, line }: ArchiveUse,
  names: readonly string[],
  by: string,
): Promise<RestoredChunk[]> {
  const restored: RestoredChunk[] = [];
  for (const archived of await chosenChunks(database, names, ({ state }) => state === "dropped")) {
    const { chunk } = archived;
    const rows = (columns: readonly EventColumn[]) => readRows(fileOf(archived), columns, signal);
    const onRows = (events: number) =>
      line.show(restored.length / names.length, `${counted(events, "event")} of ${chunk} restored`);
    const { events } = await restoreChunk(database, { chunk, rows, by, onRows });
    restored.push({ chunk, events });
  }
  line.end();
  return restored;
}

async function chosenChunks(
  database: Database,
  names: readonly string[],
  isMeant: (chunk: ArchivedChunk) => boolean,
): Promise<readonly ArchivedChunk[]> {
  const chunks = await archivedChunks(database);
  if (names.length === 0) return chunks.filter(isMeant);
  return names.map((name) => {
    const found = chunks.find(({ chunk }) => chunk === name);
    if (found === undefined || !isMeant(found))
      throw new ArchiveStateError(name, found?.state, "in an archive");
    return found;
  });
}

function fileOf({ chunk, destination, format, files }: ArchivedChunk): EventFile {
  const [file] = files;
  const known = ARCHIVE_FORMATS.find((name) => name === format);
  if (file === undefined || known === undefined)
    throw new ArchiveDamagedError(chunk, `it has no file of a known format (${format})`);
  return { destination: openArchiveDestination(destination), name: file.name, format: known };
}
