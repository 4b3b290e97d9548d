import type { Database, SqlParameter } from "../connection/sql-session.ts";
import {
  type EventFilter,
  type EventPage,
  moment,
  type PageRequest,
  type PageSearch,
  readEventPage,
} from "./event-page.ts";
import { EVENT_COLUMNS, type EventRow, readEventRow } from "./event-row.ts";
import { queryWithSharedPlan } from "./shared-plan.ts";

/**
 * One page of stored events.
 * @throws InvalidCursorError, and RangeError for a limit out of bounds or a time that is none.
 */
export function queryEvents(database: Database, filter: EventFilter, page: PageRequest): Promise<EventPage> {
  return readEventPage(filter, page, async (search) => (await readRows(database, search)).map(readEventRow));
}

/** How far to look, in days, before looking everywhere. */
const WINDOW_DAYS = [1, 30];
const DAY_MS = 86_400_000;

/**
 * With a thousand chunks, planning for all of them costs a hundred times what reading one does. So a page of whatever
 * happened is looked for near its beginning first; if that fills the page, nothing further away belongs on it.
 */
async function readRows(database: Database, search: PageSearch): Promise<EventRow[]> {
  const { filter } = search;
  if ((filter.aggregateId ?? filter.userId ?? filter.correlationId) !== undefined) {
    const anywhere = writeQuery(search);
    return queryWithSharedPlan(database, undefined, anywhere.text, anywhere.parameters);
  }
  for (const days of WINDOW_DAYS) {
    const near = narrow(search, days * DAY_MS);
    if (near === undefined) break;
    const { text, parameters } = writeQuery({ ...search, filter: near });
    const rows = await database.query<EventRow>(text, parameters);
    if (rows.length === search.limit) return rows;
  }
  const { text, parameters } = writeQuery(search);
  return database.query<EventRow>(text, parameters);
}

/** The filter with its far end moved near; undefined when it isn't any further away, or the near end isn't known. */
function narrow({ filter, cursor, ascending }: PageSearch, width: number): EventFilter | undefined {
  const bound = ascending ? filter.from : filter.to;
  const limits = [bound === undefined ? undefined : moment(bound).valueOf(), cursor?.timestamp];
  const known = limits.filter((limit) => limit !== undefined);
  if (ascending && known.length === 0) return undefined;
  if (ascending) {
    const end = Math.max(...known) + width;
    return filter.to !== undefined && moment(filter.to).valueOf() <= end
      ? undefined
      : { ...filter, to: new Date(end) };
  }
  const start = Math.min(...known, Date.now()) - width;
  return filter.from !== undefined && moment(filter.from).valueOf() >= start
    ? undefined
    : { ...filter, from: new Date(start) };
}

function writeQuery({ filter, cursor, ascending, limit }: PageSearch): {
  text: string;
  parameters: SqlParameter[];
} {
  const parameters: SqlParameter[] = [];
  const conditions: string[] = [];
  const where = (write: (place: string) => string, value: SqlParameter) => {
    parameters.push(value);
    conditions.push(write(`$${parameters.length}`));
  };

  if (filter.from !== undefined)
    where((place) => `"timestamp" >= ${place}::timestamptz`, moment(filter.from));
  if (filter.to !== undefined) where((place) => `"timestamp" < ${place}::timestamptz`, moment(filter.to));
  const { types } = filter;
  if (types?.length === 1 && types[0] !== undefined) where((place) => `type = ${place}`, types[0]);
  else if (types !== undefined) {
    where(
      (place) => `type = ANY (ARRAY(SELECT jsonb_array_elements_text(${place}::text::jsonb)))`,
      JSON.stringify(types),
    );
  }
  if (filter.aggregateType !== undefined) where((place) => `aggregate_type = ${place}`, filter.aggregateType);
  if (filter.aggregateId !== undefined) where((place) => `aggregate_id = ${place}`, filter.aggregateId);
  if (filter.userId !== undefined) where((place) => `user_id = ${place}`, filter.userId);
  if (filter.correlationId !== undefined) where((place) => `correlation_id = ${place}`, filter.correlationId);
  if (cursor !== undefined) {
    const than = ascending ? ">" : "<";
    // The bound on the time alone is what excludes chunks; the pair decides within its millisecond.
    where((place) => `"timestamp" ${than}= ${place}::timestamptz`, new Date(cursor.timestamp));
    const time = `$${parameters.length}`;
    where(
      (place) => `("timestamp", "position") ${than} (${time}::timestamptz, ${place}::bigint)`,
      cursor.position,
    );
  }

  parameters.push(limit);
  const direction = ascending ? "ASC" : "DESC";
  const text = `
SELECT ${EVENT_COLUMNS}
  FROM synap.events
 ${conditions.length === 0 ? "" : `WHERE ${conditions.join("\n   AND ")}`}
 ORDER BY "timestamp" ${direction}, "position" ${direction}
 LIMIT $${parameters.length}`;
  return { text, parameters };
}
