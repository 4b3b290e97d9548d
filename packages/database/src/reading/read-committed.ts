import type { StoredEvent } from "@synap/types";
import { epochMs } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { EVENT, type EventRow, readEventRow } from "./event-row.ts";

export interface CommittedRequest {
  readonly after: number;
  readonly types: readonly string[] | "all";
  /** More events than this aren't read. */
  readonly limit: number;
}

const BOUNDS = `
SELECT ${epochMs("min(min_timestamp)")} AS earliest, ${epochMs("max(max_timestamp)")} AS latest
  FROM (SELECT min_timestamp, max_timestamp FROM synap.appends
         WHERE number >= $1::bigint >> 10 AND last_position > $1::bigint
         ORDER BY number LIMIT $2) AS a`;

const READ = `
SELECT ${EVENT}
  FROM (
    SELECT *
      FROM synap.events
     WHERE "timestamp" BETWEEN $1 AND $2 AND "position" > $3
       AND ($4::text IS NULL OR type = ANY (ARRAY(SELECT jsonb_array_elements_text($4::text::jsonb))))
     ORDER BY "position"
     LIMIT $5
  ) AS page
 ORDER BY "position"`;

/**
 * The events after a position that are committed at this moment, also those beyond the watermark: an append that has a
 * lower number and isn't finished is missing. Only right for a caller who keeps appends from finishing, or knows how
 * to deal with them. Undefined when there are more than `limit`, or more than so many appends.
 */
export async function readCommitted(
  session: SqlSession,
  { after, types, limit }: CommittedRequest,
): Promise<StoredEvent[] | undefined> {
  const appends = await session.query(
    "SELECT FROM synap.appends WHERE number >= $1::bigint >> 10 AND last_position > $1::bigint LIMIT $2",
    [after, limit + 1],
  );
  if (appends.length > limit) return undefined;
  const [bounds] = await session.query<{ earliest: number | null; latest: number | null }>(BOUNDS, [
    after,
    limit + 1,
  ]);
  if (bounds?.earliest == null || bounds.latest === null) return [];
  const wanted = types === "all" ? null : JSON.stringify(types);
  const rows = await session.query<EventRow>(READ, [
    new Date(bounds.earliest),
    new Date(bounds.latest),
    after,
    wanted,
    limit + 1,
  ]);
  return rows.length > limit ? undefined : rows.map(readEventRow);
}
