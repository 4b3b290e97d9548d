import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/** A chunk that had events of the chain, and that is no longer in the database. */
export interface MissingChunk {
  readonly chunk: string;
  readonly events: number;
  /** The bounds of its events' timestamps, RFC 3339. */
  readonly from: string;
  readonly to: string;
}

const MISSING = `
SELECT chunk, events, ${epochMs("min_timestamp")} AS first, ${epochMs("max_timestamp")} AS last
  FROM synap.chained_chunks
 WHERE to_regclass(chunk) IS NULL
 ORDER BY min_timestamp`;

/** Finds the chunks that were dropped, the oldest first. Looks up one name a chunk, and reads no event. */
export async function missingChunks(session: SqlSession): Promise<MissingChunk[]> {
  const rows = await session.query<{ chunk: string; events: number; first: number; last: number }>(MISSING);
  return rows.map(({ chunk, events, first, last }) => ({
    chunk,
    events,
    from: isoFromEpoch(first),
    to: isoFromEpoch(last),
  }));
}
