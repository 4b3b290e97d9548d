import type { SqlSession } from "../connection/sql-session.ts";
import type { StreamInfo } from "./stream-append.ts";
import type { StreamName } from "./stream-name.ts";

const GET = `
SELECT version, closed_at, nullif(first_timestamp, '-infinity') AS first_timestamp,
       nullif(last_timestamp, 'infinity') AS last_timestamp
  FROM synap.streams
 WHERE aggregate_type = $1 AND aggregate_id = $2`;

/** A stream's row. Its events lie between the two times; null where that isn't known. */
export interface StreamRow {
  readonly version: number;
  readonly closed_at: Date | null;
  readonly first_timestamp: Date | null;
  readonly last_timestamp: Date | null;
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
    ...(row.closed_at !== null && { closedAt: row.closed_at.toISOString() }),
  };
}
