import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import type { StreamInfo } from "./stream-append.ts";
import type { StreamName } from "./stream-name.ts";

const GET = `
SELECT version, ${epochMs("closed_at")} AS closed_at,
       ${epochMs("nullif(first_timestamp, '-infinity')")} AS first_timestamp,
       ${epochMs("nullif(last_timestamp, 'infinity')")} AS last_timestamp
  FROM synap.streams
 WHERE aggregate_type = $1 AND aggregate_id = $2`;

/** A stream's row, its times in milliseconds since 1970. Its events lie between two of them; null where that isn't known. */
export interface StreamRow {
  readonly version: number;
  readonly closed_at: number | null;
  readonly first_timestamp: number | null;
  readonly last_timestamp: number | null;
}

/** A stream's version and what goes with it, without its events. */
export async function getStreamRow(session: SqlSession, stream: StreamName): Promise<StreamRow | undefined> {
  const [row] = await session.query<StreamRow>(GET, [stream.aggregateType, stream.aggregateId]);
  return row;
}

/** The stream's version, and whether it is closed; undefined when it has no events. */
export async function getStream(session: SqlSession, stream: StreamName): Promise<StreamInfo | undefined> {
  const row = await getStreamRow(session, stream);
  if (row === undefined) return undefined;
  return {
    streamVersion: row.version,
    ...(row.closed_at !== null && { closedAt: isoFromEpoch(row.closed_at) }),
  };
}
