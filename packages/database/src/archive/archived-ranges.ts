/** SQL: whether the event at a position was archived, and its chunk dropped. */
export function isArchived(position: string): string {
  return `EXISTS (
    SELECT FROM (
      SELECT r.first_position FROM synap.archived_ranges AS r
       WHERE r.last_position >= ${position} ORDER BY r.last_position LIMIT 1
    ) AS r
     WHERE r.first_position <= ${position})`;
}

/**
 * SQL: the runs of positions of a chunk, between which the log has no event of another one. Appends that are wholly of the chunk are one run,
 * and the events of any other are runs of their own.
 *
 * @param events a SELECT of the positions of the chunk's events
 */
export function positionRuns(events: string): string {
  return `
WITH own AS MATERIALIZED (
  SELECT e."position", e."position" >> 10 AS number FROM (${events}) AS e
), by_append AS (
  SELECT o.number, count(*) AS events, min(o."position") AS first, max(o."position") AS last FROM own AS o GROUP BY o.number
), placed AS (
  SELECT a.number, row_number() OVER (ORDER BY a.number) AS place, b.first, b.last, b.events = a.count AS is_whole
    FROM synap.appends AS a
    LEFT JOIN by_append AS b ON b.number = a.number
   WHERE a.number BETWEEN (SELECT min(b.number) FROM by_append AS b) AND (SELECT max(b.number) FROM by_append AS b)
)
SELECT min(w.first) AS first_position, max(w.last) AS last_position
  FROM (
    SELECT p.first, p.last, p.place - row_number() OVER (ORDER BY p.number) AS run FROM placed AS p WHERE p.is_whole
  ) AS w
 GROUP BY w.run
 UNION ALL
SELECT min(s."position"), max(s."position")
  FROM (
    SELECT o."position", o."position" - row_number() OVER (ORDER BY o."position") AS run
      FROM own AS o
      LEFT JOIN placed AS p ON p.number = o.number
     WHERE p.is_whole IS NOT TRUE
  ) AS s
 GROUP BY s.run`;
}
