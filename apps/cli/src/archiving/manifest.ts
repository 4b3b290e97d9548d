import type { ArchiveColumn, ArchiveFormatName } from "@synap/archive";
import type { SqlSession } from "@synap/database";
import type { ArchivedFile, DueChunk, EventsDigest } from "@synap/database/internal";

/** The description of an archived chunk, which is a file beside its events. */
interface Manifest extends EventsDigest {
  /** The version of this form. */
  readonly manifest: "synap-archive/1";
  /** The release of Synap that wrote it. */
  readonly synap: string;
  readonly chunk: string;
  readonly from: string;
  readonly to: string;
  readonly format: ArchiveFormatName;
  readonly columns: readonly ArchiveColumn[];
  readonly file: ArchivedFile;
}

/** Writes a manifest as text. */
export function writeManifest(
  synap: string,
  { chunk, from, to }: DueChunk,
  { events, firstPosition, lastPosition, digest }: EventsDigest,
  written: {
    readonly format: ArchiveFormatName;
    readonly columns: readonly ArchiveColumn[];
    readonly file: ArchivedFile;
  },
): string {
  const { format, columns, file: archived } = written;
  const content: Manifest = {
    manifest: "synap-archive/1",
    synap,
    chunk,
    events,
    firstPosition,
    lastPosition,
    from,
    to,
    digest,
    format,
    columns: columns.map(({ name, type }) => ({ name, type })),
    file: archived,
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/**
 * Reads a short name of the store, which is the same for every chunk of its log and another one for another log, so that stores may share an
 * archive. The first block of the hash chain has it.
 */
export async function storeName(session: SqlSession): Promise<string> {
  const [row] = await session.query<{ name: string }>(
    "SELECT left(encode(hash, 'hex'), 12) AS name FROM synap.chain_blocks WHERE number = 1",
  );
  if (row === undefined) throw new Error("The hash chain has no block yet.");
  return row.name;
}

/**
 * The name of a chunk's files, without what follows its first dot. Each attempt has its own, because a copy of the database has the same store, chunks
 * and days, and a file may be all that is left of another's events.
 */
export function fileNameOf(
  store: string,
  { chunk, from }: Pick<DueChunk, "chunk" | "from">,
  attempt: string,
): string {
  const [, table = chunk] = /\._?([^.]+)$/.exec(chunk) ?? [];
  return `${store}/${from.slice(0, 10)}-${table.replaceAll(/[^A-Za-z0-9_-]/g, "-")}-${attempt}`;
}
