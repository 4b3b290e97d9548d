import type { AmendedBy, StoredEvent } from "@synap/types";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/**
 * SQL condition on a row of the log that it is in force: not amended, and no retraction itself. Of several corrections of an event the last one
 * is. The table of the row must have no other column named `id` in scope.
 *
 * @param knownAt SQL for the moment up to which amendments count; all of them without it
 */
export function inForce(knownAt: string | undefined): string {
  const known = (alias: string) => (knownAt === undefined ? "" : ` AND ${alias}.recorded_at <= ${knownAt}`);
  return `NOT EXISTS (
           SELECT FROM synap.amendments AS a WHERE a.amended_id = id${known("a")})
         AND NOT EXISTS (
           SELECT FROM synap.amendments AS own
            WHERE own.amending_id = id
              AND (own.kind = 'retraction' OR EXISTS (
                SELECT FROM synap.amendments AS later
                 WHERE later.amended_id = own.amended_id AND later."position" > own."position"${known("later")})))`;
}

// Of the amendments of each event, or of the original that it amends, the last one, unless that is the event itself.
const MARKS = `
SELECT e.id, last.kind, last.amending_id AS "eventId", ${epochMs("last.recorded_at")} AS recorded
  FROM (SELECT value::uuid AS id FROM jsonb_array_elements_text($1::text::jsonb)) AS e
  LEFT JOIN synap.amendments AS own ON own.amending_id = e.id
 CROSS JOIN LATERAL (
    SELECT a.* FROM synap.amendments AS a
     WHERE a.amended_id = coalesce(own.amended_id, e.id) AND a.recorded_at <= coalesce($2::timestamptz, 'infinity')
     ORDER BY a."position" DESC
     LIMIT 1
  ) AS last
 WHERE last.amending_id <> e.id`;

interface MarkRow extends Pick<AmendedBy, "kind" | "eventId"> {
  readonly id: string;
  readonly recorded: number;
}

/** Marks those of the events of a page that are not in force, as known at a moment, with what amends them. */
export async function markAmendedEvents(
  session: SqlSession,
  events: readonly StoredEvent[],
  knownAt: Date | undefined,
): Promise<readonly StoredEvent[]> {
  const ids = JSON.stringify(events.map(({ id }) => id));
  const rows = await session.query<MarkRow>(MARKS, [ids, knownAt ?? null]);
  const marks = new Map(
    rows.map(({ id, kind, eventId, recorded }): [string, AmendedBy] => [
      id,
      { kind, eventId, recordedAt: isoFromEpoch(recorded) },
    ]),
  );
  return events.map((event) => {
    const amendedBy = marks.get(event.id);
    return amendedBy === undefined ? event : { ...event, amendedBy };
  });
}
