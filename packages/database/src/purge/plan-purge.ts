import { numberArray } from "../append/append-new-events.ts";
import { isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { lastPosition } from "./purge-events.ts";
import {
  BEFORE_ALL,
  checkSelection,
  type PurgeSelection,
  refuseArchivedSelection,
  selectPlaces,
} from "./purge-selection.ts";

/** Events of one statement. */
const BATCH = 5_000;

/** The events that a purge would remove, counted. */
export interface PurgePlan {
  readonly events: number;
  /** Numbers of events by type, in the order of names. */
  readonly types: Readonly<Record<string, number>>;
  /** The first and the last timestamp of the events, RFC 3339; absent without any. */
  readonly from?: string;
  readonly to?: string;
}

/**
 * Counts the stored events that a purge would remove now. Changes nothing.
 * @throws RangeError for a selection out of bounds; EventsArchivedError when some of them are archived
 */
export async function planPurge(session: SqlSession, selection: PurgeSelection): Promise<PurgePlan> {
  checkSelection(selection);
  await refuseArchivedSelection(session, selection);
  const upTo = await lastPosition(session);
  const types = new Map<string, number>();
  let after = BEFORE_ALL;
  let events = 0;
  let from: number | undefined;
  for (;;) {
    const places = await selectPlaces(session, selection, { after, upTo, limit: BATCH });
    const [first, last] = [places[0], places.at(-1)];
    if (first === undefined || last === undefined) break;
    from ??= first.timestamp;
    after = last;
    events += places.length;
    const counts = await session.query<{ type: string; events: number }>(COUNT, [
      numberArray(places.map(({ position }) => position)),
      new Date(first.timestamp),
      new Date(last.timestamp),
    ]);
    for (const { type, events: more } of counts) types.set(type, (types.get(type) ?? 0) + more);
  }
  const sorted = [...types].sort(([left], [right]) => (left < right ? -1 : 1));
  const times = from === undefined ? {} : { from: isoFromEpoch(from), to: isoFromEpoch(after.timestamp) };
  return { events, types: Object.fromEntries(sorted), ...times };
}

const COUNT = `
SELECT type, count(*) AS events
  FROM synap.events
 WHERE "timestamp" BETWEEN $2 AND $3 AND "position" = ANY ($1::text::bigint[])
 GROUP BY type`;
