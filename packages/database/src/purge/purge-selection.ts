import type { StreamName } from "@synap/types";
import { archiveKey, streamKeyOf } from "../archive/archive-keys.ts";
import { archivedOfKey, refuseArchived, refuseArchivedPositions } from "../archive/archived-events.ts";
import { epochMs, sqlBound } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { UUID } from "../reading/get-event-by-id.ts";

/** Largest number of ids in a selection. */
export const MAX_PURGED_IDS = 10_000;

/** The events to purge: by their ids, of a stream, of a user, or those of a type with a retention policy that happened before a moment. */
export type PurgeSelection =
  | { readonly ids: readonly string[] }
  | { readonly stream: StreamName }
  | { readonly userId: string }
  | { readonly expired: { readonly type: string; readonly before: string } };

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
  ids: `synap.event_ids AS e WHERE e.id = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb -> 'ids')::uuid))`,
  stream: `
    synap.events AS e
     WHERE e.aggregate_type = $1::text::jsonb #>> '{stream,aggregateType}'
       AND e.aggregate_id = $1::text::jsonb #>> '{stream,aggregateId}'`,
  userId: `synap.events AS e WHERE e.user_id = $1::text::jsonb ->> 'userId'`,
  // A policy that was ended or prolonged since counts, and so does a hold of a subject. What handlers have failed at or keep for later waits for them. A
  // correction or retraction is not removed before what it amends, which would be in force again.
  expired: `
    synap.events AS e
     WHERE e.type = $1::text::jsonb #>> '{expired,type}'
       AND e."timestamp" < (
         SELECT least(($1::text::jsonb #>> '{expired,before}')::timestamptz, now() - make_interval(days => p.keep_days))
           FROM synap.retention_policies AS p
          WHERE p.event_type = $1::text::jsonb #>> '{expired,type}' AND p.ended_at IS NULL
       )
       AND NOT EXISTS (
         SELECT FROM synap.subject_holds AS h
          WHERE h.subject IN (e.user_id, e.aggregate_id)
             OR strpos(e.data::text, '"$sealed"') > 0 AND strpos(e.data::text, to_json(h.subject)::text) > 0
       )
       AND e.id::text NOT IN (SELECT d.event_id FROM synap.dead_letters AS d WHERE d.status = 'open')
       AND e."position" NOT IN (SELECT p."position" FROM synap.parked_events AS p)
       AND e."position" NOT IN (SELECT h."position" FROM synap.held_streams AS h WHERE h."position" IS NOT NULL)
       AND NOT EXISTS (SELECT FROM synap.amendments AS a JOIN synap.event_ids AS i ON i.id = a.amended_id WHERE a.amending_id = e.id)`,
};

/** Reads the places of the next selected events up to a position, in the order of their times, after another one. */
export function selectPlaces(
  session: SqlSession,
  selection: PurgeSelection,
  { after, upTo, limit }: { readonly after: EventPlace; readonly upTo: number; readonly limit: number },
): Promise<EventPlace[]> {
  const kind = kindOf(selection);
  // In the order of the column, which an index has: by the number that is selected, each step would read and sort everything that is left. The bound
  // of the times alone excludes chunks.
  return session.query<EventPlace>(
    `SELECT ${epochMs('e."timestamp"')} AS "timestamp", e."position"
       FROM ${SOURCES[kind]}
        AND e."position" <= $2 AND e."timestamp" >= $3::timestamptz AND (e."timestamp", e."position") > ($3::timestamptz, $4)
      ORDER BY e."timestamp", e."position"
      LIMIT $5`,
    [JSON.stringify(selection), upTo, sqlBound(new Date(after.timestamp)), after.position, limit],
  );
}

function kindOf(selection: PurgeSelection): keyof typeof SOURCES {
  if ("ids" in selection) return "ids";
  if ("stream" in selection) return "stream";
  return "userId" in selection ? "userId" : "expired";
}

/** The place before every event. */
export const BEFORE_ALL: EventPlace = { timestamp: -8.64e15, position: 0 };

/**
 * Refuses a selection of which a dropped chunk has events, or may have: an archived event can't be purged. Not one of expired events.
 * @throws EventsArchivedError, which names the chunk to restore
 */
export async function refuseArchivedSelection(session: SqlSession, selection: PurgeSelection): Promise<void> {
  if ("ids" in selection) {
    const rows = await session.query<{ position: number }>(`SELECT "position" FROM ${SOURCES.ids}`, [
      JSON.stringify(selection),
    ]);
    return refuseArchivedPositions(
      session,
      rows.map(({ position }) => position),
    );
  }
  // What has expired is removed from the database; an archive is for others to keep or to delete.
  if ("expired" in selection) return;
  const key = "stream" in selection ? streamKeyOf(selection.stream) : archiveKey("user", selection.userId);
  const [row] = await session.query<{ archived: string | null }>(
    `SELECT (${archivedOfKey("$1")}) AS archived`,
    [key],
  );
  refuseArchived(row?.archived ?? undefined);
}
