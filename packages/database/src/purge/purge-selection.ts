import type { StreamName } from "@synap/types";
import { epochMs, sqlBound } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { UUID } from "../reading/get-event-by-id.ts";

/** Largest number of ids in a selection. */
export const MAX_PURGED_IDS = 10_000;

/** The events to purge: by their ids, of a stream, or of a user. */
export type PurgeSelection =
  | { readonly ids: readonly string[] }
  | { readonly stream: StreamName }
  | { readonly userId: string };

/** The place of an event: enough to find it in its chunk. */
export interface EventPlace {
  /** In milliseconds since 1970. */
  readonly timestamp: number;
  readonly position: number;
}

/** @throws RangeError for ids that are no UUIDs, or too many of them */
export function checkSelection(selection: PurgeSelection): void {
  if (!("ids" in selection)) return;
  const { ids } = selection;
  const wrong = ids.find((id) => !UUID.test(id));
  if (wrong !== undefined)
    throw new RangeError(`The id of an event must be a UUID, not ${JSON.stringify(wrong)}.`);
  if (ids.length === 0 || ids.length > MAX_PURGED_IDS)
    throw new RangeError(`A purge by ids takes 1 to ${MAX_PURGED_IDS} ids, not ${ids.length}.`);
}

const SOURCES = {
  ids: `synap.event_ids WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb -> 'ids')::uuid))`,
  stream: `
    synap.events
     WHERE aggregate_type = $1::text::jsonb #>> '{stream,aggregateType}'
       AND aggregate_id = $1::text::jsonb #>> '{stream,aggregateId}'`,
  userId: `synap.events WHERE user_id = $1::text::jsonb ->> 'userId'`,
};

/** Reads the places of the next selected events up to a position, in the order of their times, after another one. */
export function selectPlaces(
  session: SqlSession,
  selection: PurgeSelection,
  { after, upTo, limit }: { readonly after: EventPlace; readonly upTo: number; readonly limit: number },
): Promise<EventPlace[]> {
  const kind = "ids" in selection ? "ids" : "stream" in selection ? "stream" : "userId";
  return session.query<EventPlace>(
    `SELECT ${epochMs('"timestamp"')} AS "timestamp", "position"
       FROM ${SOURCES[kind]}
        AND "position" <= $2 AND ("timestamp", "position") > ($3::timestamptz, $4)
      ORDER BY "timestamp", "position"
      LIMIT $5`,
    [JSON.stringify(selection), upTo, sqlBound(new Date(after.timestamp)), after.position, limit],
  );
}

/** The place before every event. */
export const BEFORE_ALL: EventPlace = { timestamp: -8.64e15, position: 0 };
