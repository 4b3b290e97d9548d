import type { StreamName } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { textArray } from "../append/append-new-events.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { type LimitedVisibility, visibleValue } from "./visibility.ts";

// LATERAL (... OFFSET 0) looks each stream up by its primary key, whatever the planner believes of the list's length.
const TAKEN = `
SELECT n.ordinal::integer AS ordinal
  FROM unnest($1::text::text[], $2::text::text[]) WITH ORDINALITY AS n(type, id, ordinal)
 CROSS JOIN LATERAL (
   SELECT CASE $3::text WHEN 'user' THEN s.user_id ELSE s.created_by END AS owner
     FROM synap.streams AS s
    WHERE s.aggregate_type = n.type COLLATE "C" AND s.aggregate_id = n.id COLLATE "C"
   OFFSET 0
 ) AS s
 WHERE s.owner IS DISTINCT FROM $4::text`;

/**
 * Finds those of the streams that exist and that a caller with this visibility does not see. Returns their keys, as `streamKey` makes
 * them.
 * @throws RangeError as `visibleValue`
 */
export async function takenStreams(
  session: SqlSession,
  visibility: LimitedVisibility,
  streams: readonly StreamName[],
): Promise<ReadonlySet<string>> {
  const { of, value } = visibleValue(visibility);
  const names = [...new Map(streams.map((stream) => [streamKey(stream), stream])).entries()];
  const rows = await session.query<{ ordinal: number }>(TAKEN, [
    textArray(names.map(([, { aggregateType }]) => aggregateType)),
    textArray(names.map(([, { aggregateId }]) => aggregateId)),
    of,
    value,
  ]);
  return new Set(rows.flatMap(({ ordinal }) => names[ordinal - 1]?.[0] ?? []));
}
