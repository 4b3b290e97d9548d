import { inForce } from "../amendments/amendment-queries.ts";
import { sqlBound } from "../connection/moments.ts";
import type { SqlParameter } from "../connection/sql-session.ts";
import { EQUAL_COLUMNS, EQUAL_FIELDS } from "../reading/event-filter.ts";
import type { PageSearch } from "../reading/event-page.ts";
import { MAX_PAGE_BYTES, selectGuardedPage } from "../reading/page-bytes.ts";
import { ANY_ARCHIVED, writeArchivedEdge } from "./archived-edge.ts";
import type { PositionRange } from "./recorded-range.ts";

/** The SELECT of a page of events, with the values of its parameters. */
export interface EventQueryText {
  readonly text: string;
  readonly parameters: readonly SqlParameter[];
}

/**
 * Writes the SELECT of a page, with the archived chunk that it comes to; the events must also be within `positions`, if they are given.
 *
 * @param guard "any": whether anything is archived at all, which is planned in no time; "edge": the chunk that the page comes to
 * @param bounds of the times in which the events are known to be, for what is archived; the filter's own without them
 */
export function writeEventQuery(
  search: PageSearch,
  guard: "any" | "edge",
  positions?: PositionRange,
  bounds: Pick<PageSearch["filter"], "from" | "to"> = search.filter,
): EventQueryText {
  const { filter, cursor, ascending, limit, maxBytes = MAX_PAGE_BYTES } = search;
  const parameters: SqlParameter[] = [];
  const conditions: string[] = [];
  const parameter = (value: SqlParameter) => `$${parameters.push(value)}`;
  const where = (condition: string) => conditions.push(condition);

  if (filter.from !== undefined) where(`"timestamp" >= ${parameter(sqlBound(filter.from))}::timestamptz`);
  if (filter.to !== undefined) where(`"timestamp" < ${parameter(sqlBound(filter.to))}::timestamptz`);
  const { types, createdBy, recordedFrom, recordedTo, validAt, data, corrections, knownAt } = filter;
  if (types?.length === 1 && types[0] !== undefined) where(`type = ${parameter(types[0])}`);
  else if (types !== undefined) {
    where(
      `type = ANY (ARRAY(SELECT jsonb_array_elements_text(${parameter(JSON.stringify(types))}::text::jsonb)))`,
    );
  }
  for (const field of EQUAL_FIELDS) {
    const value = filter[field];
    if (value !== undefined) where(`${EQUAL_COLUMNS[field]} = ${parameter(value)}`);
  }
  if (createdBy !== undefined) {
    // True for all of them, but only so are the indexes found: that of actors leaves out users who act for themselves.
    const isOther = "created_by IS DISTINCT FROM 'user:' || user_id";
    const [, user] = /^user:(.*)$/s.exec(createdBy) ?? [];
    where(user === undefined ? isOther : `(user_id = ${parameter(user)} OR ${isOther})`);
  }
  if (recordedFrom !== undefined) where(`recorded_at >= ${parameter(recordedFrom)}::timestamptz`);
  if (recordedTo !== undefined) where(`recorded_at < ${parameter(sqlBound(recordedTo))}::timestamptz`);
  if (positions !== undefined) {
    where(`"position" BETWEEN ${parameter(positions.low)}::bigint AND ${parameter(positions.high)}::bigint`);
  }
  if (validAt !== undefined) {
    const at = `${parameter(validAt)}::timestamptz`;
    where(`coalesce(valid_from, "timestamp") <= ${at} AND (valid_to IS NULL OR ${at} < valid_to)`);
  }
  if (corrections === "applied") {
    where(inForce(knownAt === undefined ? undefined : `${parameter(knownAt)}::timestamptz`));
  }
  if (data !== undefined) where(`data @> ${parameter(JSON.stringify(data))}::text::jsonb`);
  if (cursor !== undefined) {
    const than = ascending ? ">" : "<";
    const time = `${parameter(new Date(cursor.timestamp))}::timestamptz`;
    // The condition on the time excludes chunks; the pair orders events of the same millisecond.
    where(`"timestamp" ${than}= ${time}`);
    where(`("timestamp", "position") ${than} (${time}, ${parameter(cursor.position)}::bigint)`);
  }

  const direction = ascending ? "ASC" : "DESC";
  const order = `"timestamp" ${direction}, "position" ${direction}`;
  const archived =
    guard === "any"
      ? ANY_ARCHIVED
      : writeArchivedEdge({ ...search, filter: { ...filter, ...bounds } }, positions, parameter);
  const text = selectGuardedPage(
    archived,
    `
      SELECT *
        FROM synap.events
       ${conditions.length === 0 ? "" : `WHERE ${conditions.join("\n         AND ")}`}
       ORDER BY ${order}
       LIMIT ${parameter(limit)}`,
    order,
    parameter(maxBytes),
  );
  return { text, parameters };
}
