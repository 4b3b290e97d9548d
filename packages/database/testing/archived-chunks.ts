import type { Database } from "../src/index.ts";
import {
  beginExport,
  countEvents,
  dropArchivedChunk,
  dueChunks,
  type EventsDigest,
  type EventText,
  exportChunk,
  extendChain,
  markVerified,
  restoreChunk,
} from "../src/internal.ts";

const TARGET = { destination: "file:///archive", format: "ndjson.zst", by: "user:ada" };
const FILE = { name: "x", bytes: 1, sha256: "0".repeat(64) };

/** A moment before which every event of a test happened. */
export const AFTER_ALL = new Date("2026-01-01T00:00:00Z");

/** An archive in memory: the rows of each chunk. */
export type ArchiveInMemory = Map<string, readonly EventText[]>;

/** Brings the chain and the figures to the end of the log, as workers do. */
export async function keepUp(database: Database): Promise<void> {
  while (await extendChain(database));
  while (await countEvents(database));
}

/** Archives a chunk up to the moment before it is dropped. */
export async function exportInto(archive: ArchiveInMemory, database: Database, chunk: string): Promise<void> {
  const due = (await dueChunks(database, AFTER_ALL)).find((each) => each.chunk === chunk);
  if (due === undefined) throw new Error(`${chunk} is not due.`);
  await beginExport(database, due, TARGET);
  const rows: EventText[] = [];
  const digest = await exportChunk(database, chunk, async (exported) => {
    for await (const some of exported.rows) rows.push(...some);
  });
  archive.set(chunk, rows);
  await markVerified(database, chunk, { ...digest, ...TARGET, files: [FILE] });
}

/** Archives a chunk and drops it. @returns the position of the event that records it */
export async function archiveInto(
  archive: ArchiveInMemory,
  database: Database,
  chunk: string,
): Promise<number> {
  await exportInto(archive, database, chunk);
  return dropArchivedChunk(database, chunk);
}

/** Restores a chunk. @param change makes another archive of it first */
export function restoreFrom(
  archive: ArchiveInMemory,
  database: Database,
  chunk: string,
  change: (rows: readonly EventText[]) => readonly EventText[] = (rows) => rows,
): Promise<EventsDigest> {
  async function* rows() {
    const all = change(archive.get(chunk) ?? []);
    for (let at = 0; at < all.length; at += 100) yield all.slice(at, at + 100);
  }
  return restoreChunk(database, { chunk, rows, by: "user:ada" });
}
