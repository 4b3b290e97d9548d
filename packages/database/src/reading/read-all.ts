import type { StoredEvent, StreamName } from "@synap/types";
import { ARCHIVED_BETWEEN, refuseArchived } from "../archive/archived-events.ts";
import type { LogSessions } from "../connection/log-sessions.ts";
import { epochMs } from "../connection/moments.ts";
import type { SqlParameter, SqlSession } from "../connection/sql-session.ts";
import { EQUAL_COLUMNS, EQUAL_FIELDS, type EqualField } from "./event-filter.ts";
import { UUID } from "./get-event-by-id.ts";
import {
  checkMaxBytes,
  type GuardedRow,
  MAX_PAGE_BYTES,
  readGuarded,
  readPage,
  selectGuardedPage,
} from "./page-bytes.ts";
import { queryAnySessionWithSharedPlan } from "./shared-plan.ts";

/** Conditions on single fields. All given ones must hold. */
export interface FieldConditions {
  /** Only events of streams of this type. */
  readonly aggregateType?: string | undefined;
  readonly userId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Only events that this one caused, by its id. */
  readonly causationId?: string | undefined;
  readonly createdBy?: string | undefined;
  readonly source?: string | undefined;
}

export interface ReadAllRequest extends FieldConditions {
  /** Position of the last processed event; 0 to start. */
  readonly after: number;
  /** Maximum number of events, 1 to 10,000. Fewer when they are large: see `maxBytes`. */
  readonly limit: number;
  /** A page ends with the event that reaches this size in bytes. Default and maximum: 4 MiB. */
  readonly maxBytes?: number | undefined;
  /** Only events of these types. */
  readonly types?: readonly string[] | undefined;
  /** Only the events of this stream. */
  readonly stream?: StreamName | undefined;
  /** Read inside this transaction (READ COMMITTED). With the embedded engine, required whenever one is open. */
  readonly transaction?: SqlSession | undefined;
}

export interface ReadAllPage {
  /** In the order of positions. May be empty although there is more to read: they were filtered out. */
  readonly events: readonly StoredEvent[];
  /** The checkpoint to save. It also moves past events that were filtered out and numbers that were never used. */
  readonly position: number;
  /** Position up to which every append is finished: the end of a committed one. */
  readonly watermark: number;
  /** True if everything up to the watermark has been read. */
  readonly caughtUp: boolean;
}

const RANGE = `
SELECT watermark, up_to, more, ${epochMs("min_timestamp")} AS min_timestamp,
       ${epochMs("max_timestamp")} AS max_timestamp`;
const NEXT = `${RANGE} FROM synap.next_appends($1, $2)`;

const UP_TO = `${RANGE} FROM synap.appends_up_to($3, $1, $2)`;

/** The range that a reader may read next, from `synap.next_appends`. Empty when `up_to` is null. */
export interface NextAppends {
  readonly watermark: number;
  readonly up_to: number | null;
  readonly more: boolean;
  /** In milliseconds since 1970. */
  readonly min_timestamp: number | null;
  readonly max_timestamp: number | null;
}

const WIDE_MS = 30 * 86_400_000;

/** Maximum number of events of one call. */
export const MAX_READ_EVENTS = 10_000;

/**
 * Reads the events after a position, up to the watermark, without skipping any in whatever order transactions commit. The
 * first statement reads the next range and its time bounds from the append log, the second the events; it sees at least
 * what the first one saw.
 *
 * @param safeNumber number of an append up to which all are known to be finished, in place of the watermark
 */
export async function readAll(
  session: SqlSession & Pick<LogSessions, "places">,
  request: ReadAllRequest,
  safeNumber?: number,
): Promise<ReadAllPage> {
  const { after, limit } = request;
  checkReadAll(request);
  const reader = request.transaction ?? session;
  const filters = writeFilters(request);
  // A reader with a filter reads larger ranges, or it would need a round trip for every page of other events.
  const isFiltered = filters.conditions.length > 0 || session.places !== undefined;
  const window = isFiltered ? MAX_READ_EVENTS : limit;
  const place = session.places ?? reader;
  const [next] = await (safeNumber === undefined
    ? place.query<NextAppends>(NEXT, [after, window])
    : place.query<NextAppends>(UP_TO, [after, window, safeNumber]));
  if (next === undefined) throw new Error("next_appends returned no row.");
  return readNextAppends(reader, session.places === undefined ? next : withoutPositions(next), request);
}

/** Extends a range to the end of its last append, because the position of its last event may be that of an event not shown. */
function withoutPositions(next: NextAppends): NextAppends {
  return { ...next, up_to: next.up_to === null ? null : (Math.floor(next.up_to / 1024) + 1) * 1024 - 1 };
}

/** Validates a request. @throws RangeError for a limit out of bounds, and as `fieldConditions` */
export function checkReadAll(request: Pick<ReadAllRequest, "limit" | "maxBytes"> & FieldConditions): void {
  const { limit, maxBytes } = request;
  fieldConditions(request);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_READ_EVENTS) {
    throw new RangeError(`The limit of readAll must be 1 to ${MAX_READ_EVENTS}, not ${limit}.`);
  }
  checkMaxBytes(maxBytes);
}

/** Reads the events of a range from `next_appends`. */
export async function readNextAppends(
  session: SqlSession,
  next: NextAppends,
  request: Omit<ReadAllRequest, "transaction">,
): Promise<ReadAllPage> {
  const { after, limit, maxBytes = MAX_PAGE_BYTES } = request;
  const { watermark, up_to: upTo, min_timestamp: from, max_timestamp: to } = next;
  if (upTo === null || from === null || to === null) {
    return { events: [], position: Math.max(after, watermark), watermark, caughtUp: true };
  }
  const filters = writeFilters(request);
  const { conditions, parameters } = filters;
  const write = (bounds: string) =>
    selectGuardedPage(
      ARCHIVED_BETWEEN,
      `
      SELECT *
        FROM synap.events
       WHERE "position" > $1 AND "position" <= $2
         ${[...conditions, bounds].map((condition) => `AND ${condition}`).join("\n         ")}
       ORDER BY "position"
       LIMIT $3`,
      `"position"`,
      "$4",
    );
  const all: SqlParameter[] = [after, upTo, limit, maxBytes, ...parameters];
  const within = `"timestamp" BETWEEN $${all.length + 1} AND $${all.length + 2}`;
  // Old events among recent ones: a custom plan for every chunk in between would cost ten times as much as a shared plan.
  const isWide = to - from > WIDE_MS;
  const rows = isWide
    ? await queryAnySessionWithSharedPlan<GuardedRow>(session, write("true"), all)
    : await session.query<GuardedRow>(write(within), [...all, new Date(from), new Date(to)]);
  const { rows: page, archived } = readGuarded(rows);
  // Since the range was looked up, when it had none of them.
  refuseArchived(archived);
  const { events, isCut } = readPage(page);
  const last = events.at(-1);
  if ((isCut || events.length === limit) && last !== undefined && last.position < upTo) {
    return { events, position: last.position, watermark, caughtUp: false };
  }
  const caughtUp = !next.more;
  return { events, position: caughtUp ? watermark : upTo, watermark, caughtUp };
}

/** Selects the conditions on fields of a request. @throws RangeError for a cause that is no UUID */
export function fieldConditions(request: FieldConditions): FieldConditions {
  const { aggregateType, userId, correlationId, causationId, createdBy, source } = request;
  if (causationId !== undefined && !UUID.test(causationId))
    throw new RangeError(`causationId must be a UUID, not ${JSON.stringify(causationId)}.`);
  return {
    aggregateType,
    userId,
    correlationId,
    causationId: causationId?.toLowerCase(),
    createdBy,
    source,
  };
}

/** Builds the conditions of the filter; their parameters begin with $5. */
function writeFilters({ types, stream, ...request }: ReadAllRequest): {
  conditions: string[];
  parameters: SqlParameter[];
} {
  const conditions: string[] = [];
  const parameters: SqlParameter[] = [];
  const where = (write: (parameter: string) => string, value: SqlParameter | undefined) => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(write(`$${parameters.length + 4}`));
  };
  where(
    (parameter) => `type = ANY (ARRAY(SELECT jsonb_array_elements_text(${parameter}::text::jsonb)))`,
    types === undefined ? undefined : JSON.stringify(types),
  );
  const each: readonly Partial<Record<EqualField, string | undefined>>[] = [
    fieldConditions(request),
    stream ?? {},
  ];
  for (const fields of each) {
    for (const field of EQUAL_FIELDS) {
      where((parameter) => `${EQUAL_COLUMNS[field]} = ${parameter}`, fields[field]);
    }
  }
  return { conditions, parameters };
}
