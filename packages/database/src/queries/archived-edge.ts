import { type ArchiveKeyKind, archiveKey, streamKeyOf } from "../archive/archive-keys.ts";
import { PLACE } from "../archive/archived-events.ts";
import { epochMs, sqlBound } from "../connection/moments.ts";
import type { SqlParameter } from "../connection/sql-session.ts";
import type { ArchivedPlace } from "../events-archived.ts";
import type { CheckedFilter } from "../reading/event-filter.ts";
import type { PageSearch } from "../reading/event-page.ts";
import type { PositionRange } from "./recorded-range.ts";

/** An archived chunk that a page by time comes to, and the time of its event that is the nearest. */
export interface ArchivedEdge extends ArchivedPlace {
  /** In milliseconds since 1970. */
  readonly at: number;
}

/** The SELECT of a text if anything is archived. */
export const ANY_ARCHIVED = "SELECT 'some'::text FROM synap.archived_ranges AS r LIMIT 1";

/** The keys by which the chunks are found that may have events of a filter. */
function keysOf(filter: CheckedFilter): readonly (readonly bigint[])[] {
  const { types, aggregateType, aggregateId, userId, correlationId, causationId, createdBy } = filter;
  const key = (kind: ArchiveKeyKind, value: string | undefined) =>
    value === undefined ? [] : [[archiveKey(kind, value)]];
  return [
    ...(types === undefined ? [] : [types.map((type) => archiveKey("type", type))]),
    ...(aggregateType !== undefined && aggregateId !== undefined
      ? [[streamKeyOf({ aggregateType, aggregateId })]]
      : key("aggregate", aggregateType)),
    ...key("user", userId),
    ...key("correlation", correlationId),
    ...key("causation", causationId),
    ...key("creator", createdBy),
  ];
}

/**
 * Writes the SELECT of the archived chunk that a page by time comes to first, as JSON; null if it comes to none with events of its filter.
 *
 * @param parameter adds a parameter and returns its name
 */
export function writeArchivedEdge(
  { filter, cursor, ascending }: PageSearch,
  positions: PositionRange | undefined,
  parameter: (value: SqlParameter) => string,
): string {
  const conditions = ["c.state = 'dropped'"];
  const { from, to } = filter;
  const at = cursor === undefined ? undefined : new Date(cursor.timestamp);
  for (const low of [from, ascending ? at : undefined])
    if (low !== undefined) conditions.push(`c.max_timestamp >= ${parameter(sqlBound(low))}::timestamptz`);
  if (to !== undefined) conditions.push(`c.min_timestamp < ${parameter(sqlBound(to))}::timestamptz`);
  if (!ascending && at !== undefined)
    conditions.push(`c.min_timestamp <= ${parameter(sqlBound(at))}::timestamptz`);
  if (positions !== undefined)
    conditions.push(
      `c.first_position <= ${parameter(positions.high)}::bigint AND c.last_position >= ${parameter(positions.low)}::bigint`,
    );
  for (const hashes of keysOf(filter)) {
    const any = parameter(`{${hashes.join()}}`);
    conditions.push(
      `EXISTS (SELECT FROM synap.archived_keys AS k WHERE k.chunk = c.number AND k.hash = ANY (${any}::text::bigint[]))`,
    );
  }
  const edge = ascending ? "c.min_timestamp" : "c.max_timestamp";
  return `
    SELECT json_build_object('at', ${epochMs(edge)}, ${PLACE})::text
      FROM synap.archived_chunks AS c
     WHERE ${conditions.join(" AND ")}
     ORDER BY ${edge} ${ascending ? "ASC" : "DESC"}
     LIMIT 1`;
}
