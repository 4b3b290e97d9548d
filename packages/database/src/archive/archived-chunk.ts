import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/**
 * The progress of archiving a chunk: being written, written and read back, dropped from the database, or brought back into it (in a chunk with another
 * name).
 */
export type ArchiveState = "exporting" | "verified" | "dropped" | "restored";

/** A file of an archive. */
export interface ArchivedFile {
  readonly name: string;
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/** A chunk of events that was copied into an archive. */
export interface ArchivedChunk {
  /** Its name in the database, as it was then. */
  readonly chunk: string;
  readonly state: ArchiveState;
  readonly events: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** The bounds of its events' timestamps, RFC 3339. */
  readonly from: string;
  readonly to: string;
  /** SHA-256 over the digests of its events in the order of positions, in hexadecimal digits. Absent until it was read back. */
  readonly digest?: string;
  /** URL of the archive. */
  readonly destination: string;
  readonly format: string;
  readonly files: readonly ArchivedFile[];
  readonly archivedBy: string;
  readonly droppedAt?: string;
  readonly restoredAt?: string;
}

interface ChunkRow {
  readonly chunk: string;
  readonly state: ArchiveState;
  readonly events: number;
  readonly first_position: number;
  readonly last_position: number;
  readonly first: number;
  readonly last: number;
  readonly digest: string | null;
  readonly destination: string;
  readonly format: string;
  readonly files: readonly ArchivedFile[];
  readonly archived_by: string;
  readonly dropped: number | null;
  readonly restored: number | null;
}

const CHUNKS = `
SELECT chunk, state, events, first_position, last_position, ${epochMs("min_timestamp")} AS first, ${epochMs("max_timestamp")} AS last,
       encode(digest, 'hex') AS digest, destination, format, files, archived_by, ${epochMs("dropped_at")} AS dropped,
       ${epochMs("restored_at")} AS restored
  FROM synap.archived_chunks`;

/** Lists the chunks that were archived, the oldest events first. */
export async function archivedChunks(session: SqlSession): Promise<ArchivedChunk[]> {
  return (await session.query<ChunkRow>(`${CHUNKS} ORDER BY range_start, chunk`)).map(chunkOf);
}

/** Finds an archived chunk by its name, and locks its row until the end of the transaction. */
export async function lockArchivedChunk(
  owner: SqlSession,
  chunk: string,
): Promise<ArchivedChunk | undefined> {
  const [row] = await owner.query<ChunkRow>(`${CHUNKS} WHERE chunk = $1 FOR UPDATE`, [chunk]);
  return row && chunkOf(row);
}

function chunkOf(row: ChunkRow): ArchivedChunk {
  return {
    chunk: row.chunk,
    state: row.state,
    events: row.events,
    firstPosition: row.first_position,
    lastPosition: row.last_position,
    from: isoFromEpoch(row.first),
    to: isoFromEpoch(row.last),
    ...(row.digest !== null && { digest: row.digest }),
    destination: row.destination,
    format: row.format,
    files: row.files,
    archivedBy: row.archived_by,
    ...(row.dropped !== null && { droppedAt: isoFromEpoch(row.dropped) }),
    ...(row.restored !== null && { restoredAt: isoFromEpoch(row.restored) }),
  };
}

/** The events that are in an archive and no longer in the database. */
export interface ArchivedEvents {
  readonly chunks: number;
  readonly events: number;
}

/** Counts the archived events. Reads one row a chunk. */
export async function archivedEvents(session: SqlSession): Promise<ArchivedEvents> {
  const [row] = await session.query<ArchivedEvents>(
    "SELECT count(*) AS chunks, coalesce(sum(events), 0)::bigint AS events FROM synap.archived_chunks WHERE state = 'dropped'",
  );
  if (row === undefined) throw new Error("The count of the archived chunks returned no row.");
  return row;
}
