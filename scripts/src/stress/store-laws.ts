import type { SqlSession } from "@synap/database";

/** Streams whose versions are not 1, 2, 3 ... up to what the stream's own row has. */
export const BROKEN_STREAMS = `
SELECT FROM (
  SELECT aggregate_type, aggregate_id, count(*) AS events, count(DISTINCT stream_version) AS versions,
         min(stream_version) AS first, max(stream_version) AS last
    FROM synap.events
   GROUP BY aggregate_type, aggregate_id
) AS e
FULL JOIN synap.streams AS s ON s.aggregate_type = e.aggregate_type AND s.aggregate_id = e.aggregate_id
WHERE e.first IS DISTINCT FROM 1 OR e.last IS DISTINCT FROM e.events OR e.versions IS DISTINCT FROM e.events
   OR s.version IS DISTINCT FROM e.last`;

/** Streams in which a later version has a lower position. */
export const DISORDERED_STREAMS = `
SELECT DISTINCT aggregate_type, aggregate_id FROM (
  SELECT aggregate_type, aggregate_id, "position",
         lag("position") OVER (PARTITION BY aggregate_type, aggregate_id ORDER BY stream_version) AS before
    FROM synap.events
) AS e
WHERE e.before >= e."position"`;

/** Ids that more than one row has. */
export const STORED_TWICE = "SELECT id FROM synap.events GROUP BY id HAVING count(*) > 1";

/** The number of rows that a query gives. */
export async function countRows(session: SqlSession, query: string): Promise<number> {
  const [row] = await session.query<{ found: number }>(`SELECT count(*) AS found FROM (${query}) AS rows`);
  return row?.found ?? Number.NaN;
}
