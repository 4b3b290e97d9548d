import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/** A chunk of events, to be compared with that of another copy of the store. */
export interface ChunkDigest {
  readonly chunk: string;
  /** The range of the timestamps that it may hold: `from` inclusive, `to` exclusive; RFC 3339. */
  readonly from: string;
  readonly to: string;
  readonly events: number;
  /** SHA-256 over the digests of its events in the order of positions, in hexadecimal digits. */
  readonly digest: string;
}

const CHUNKS = `
SELECT format('%I.%I', chunk_schema, chunk_name) AS chunk, ${epochMs("range_start")} AS first, ${epochMs("range_end")} AS last
  FROM timescaledb_information.chunks
 WHERE hypertable_schema = 'synap' AND hypertable_name = 'events'
 ORDER BY range_start`;

const DIGEST = `
SELECT count(*) AS events, encode(sha256(coalesce(string_agg(synap.event_digest(e), ''::bytea ORDER BY e."position"), '')), 'hex') AS digest
  FROM synap.events AS e
 WHERE "timestamp" >= to_timestamp($1::bigint / 1000.0) AND "timestamp" < to_timestamp($2::bigint / 1000.0)`;

/** Counts and digests the events of each chunk, the oldest first. @param onChunk is called with each as soon as it is known */
export async function chunkDigests(
  session: SqlSession,
  onChunk?: (done: number, all: number) => void,
): Promise<ChunkDigest[]> {
  const chunks = await session.query<{ chunk: string; first: number; last: number }>(CHUNKS);
  const digests: ChunkDigest[] = [];
  for (const { chunk, first, last } of chunks) {
    const [row] = await session.query<{ events: number; digest: string }>(DIGEST, [first, last]);
    if (row === undefined) throw new Error("The digest of a chunk returned no row.");
    digests.push({ chunk, from: isoFromEpoch(first), to: isoFromEpoch(last), ...row });
    onChunk?.(digests.length, chunks.length);
  }
  return digests;
}
