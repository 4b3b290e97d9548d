import { epochMs, sqlBound } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import type { CheckedFilter } from "../reading/event-filter.ts";

/** Positions of events, both bounds included. */
export interface PositionRange {
  readonly low: number;
  readonly high: number;
}

const RANGE = `
SELECT min(number) * 1024 AS low, max(last_position) AS high, ${epochMs("min(min_timestamp)")} AS min_timestamp,
       ${epochMs("max(max_timestamp)")} AS max_timestamp
  FROM synap.appends
 WHERE recorded_at >= coalesce($1::timestamptz, '-infinity') AND recorded_at < coalesce($2::timestamptz, 'infinity')`;

interface RangeRow {
  readonly low: number | null;
  readonly high: number;
  readonly min_timestamp: number;
  readonly max_timestamp: number;
}

/**
 * Narrows a filter by recording time to the time range and the positions of the appends of that time, because the events have no
 * index on it. Reads the append log, which has one short row for each append. Undefined when nothing was recorded then.
 */
export async function recordedRange(
  session: SqlSession,
  filter: CheckedFilter,
): Promise<{ readonly filter: CheckedFilter; readonly positions?: PositionRange } | undefined> {
  const { recordedFrom, recordedTo, from, to } = filter;
  if (recordedFrom === undefined && recordedTo === undefined) return { filter };
  const [row] = await session.query<RangeRow>(RANGE, [
    recordedFrom ?? null,
    recordedTo === undefined ? null : sqlBound(recordedTo),
  ]);
  if (row === undefined || row.low === null) return undefined;
  const { low, high, min_timestamp: first, max_timestamp: last } = row;
  return {
    filter: {
      ...filter,
      from: new Date(Math.max(first, from?.valueOf() ?? first)),
      // The end of a filter is exclusive, but the last event's time is inclusive.
      to: new Date(Math.min(last + 1, to?.valueOf() ?? last + 1)),
    },
    positions: { low, high },
  };
}
