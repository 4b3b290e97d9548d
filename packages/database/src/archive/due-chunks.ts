import { checkMoment } from "@synap/types";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { ArchiveStateError } from "./archive-errors.ts";
import type { ArchiveState } from "./archived-chunk.ts";

/** A chunk of events that may be archived. */
export interface DueChunk {
  readonly chunk: string;
  readonly events: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** The bounds of its events' timestamps, RFC 3339. */
  readonly from: string;
  readonly to: string;
  /** The state in which an earlier run left it; absent without one. */
  readonly state?: ArchiveState;
}

/** The range of the chunk with a name, of those of the log. */
export const CHUNK_RANGES = `
SELECT format('%I.%I', chunk_schema, chunk_name) COLLATE "C" AS chunk, range_start, range_end
  FROM timescaledb_information.chunks
 WHERE hypertable_schema = 'synap' AND hypertable_name = 'events'`;

/** The range of the timestamps that a chunk may hold, in milliseconds since 1970: `start` inclusive, `end` exclusive. */
export interface ChunkRange {
  readonly start: number;
  readonly end: number;
}

/** Reads the range of a chunk of the log. @throws ArchiveStateError if there is none with this name */
export async function rangeOf(session: SqlSession, chunk: string): Promise<ChunkRange> {
  const [row] = await session.query<ChunkRange>(
    `SELECT ${epochMs("c.range_start")} AS start, ${epochMs("c.range_end")} AS "end" FROM (${CHUNK_RANGES}) AS c WHERE c.chunk = $1`,
    [chunk],
  );
  if (row === undefined) throw new ArchiveStateError(chunk, undefined, "in the database");
  return row;
}

/** SQL: a row `e` of the log is in a chunk with this range. As text, because not every statement takes parameters. */
export function withinRange({ start, end }: ChunkRange): string {
  return `e."timestamp" >= to_timestamp(${start} / 1000.0) AND e."timestamp" < to_timestamp(${end} / 1000.0)`;
}

// Not the newest chunk: events still arrive there. Of the others, those whose events the chain and the figures all have.
const DUE = `
SELECT c.chunk, b.events, b.first_position, b.last_position, ${epochMs("b.first")} AS first, ${epochMs("b.last")} AS last, a.state
  FROM (SELECT d.*, max(d.range_start) OVER () AS newest FROM (${CHUNK_RANGES}) AS d) AS c
 CROSS JOIN LATERAL (
    SELECT count(*) AS events, min(e."position") AS first_position, max(e."position") AS last_position, min(e."timestamp") AS first,
           max(e."timestamp") AS last
      FROM synap.events AS e
     WHERE e."timestamp" >= c.range_start AND e."timestamp" < c.range_end
  ) AS b
  LEFT JOIN synap.archived_chunks AS a ON a.chunk = c.chunk
 WHERE c.range_end <= $1 AND c.range_start < c.newest AND b.events > 0
   AND b.last_position <= (SELECT max(k.last_position) FROM synap.chain_blocks AS k)
   AND b.last_position <= (SELECT f."position" FROM synap.event_counts_end AS f)
 ORDER BY c.range_start`;

interface DueRow {
  readonly chunk: string;
  readonly events: number;
  readonly first_position: number;
  readonly last_position: number;
  readonly first: number;
  readonly last: number;
  readonly state: ArchiveState | null;
}

/**
 * Finds the chunks that end before a moment and may be archived, the oldest first: not the newest one, and none with events that are not yet in
 * the hash chain and in the figures.
 * @throws InvalidMomentError
 */
export async function dueChunks(session: SqlSession, before: Date): Promise<DueChunk[]> {
  const rows = await session.query<DueRow>(DUE, [checkMoment("before", before)]);
  return rows.map((row) => ({
    chunk: row.chunk,
    events: row.events,
    firstPosition: row.first_position,
    lastPosition: row.last_position,
    from: isoFromEpoch(row.first),
    to: isoFromEpoch(row.last),
    ...(row.state !== null && { state: row.state }),
  }));
}
