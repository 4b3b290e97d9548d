import { counted } from "@synap/types/internal";
import { isArchived } from "../archive/archived-ranges.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { PURGE_DIGEST, PURGE_EVENT_TYPE } from "../purge/purge-event.ts";
import type { ChainFault } from "./chain-fault.ts";

const PURGES = `
SELECT p.id, p.removed_at IS NULL AS is_unfinished, k.events,
       -- The event that records it may be archived itself.
       e."position" IS NOT NULL OR ${isArchived('p."position"')} AS is_recorded
  FROM synap.purges AS p
 CROSS JOIN LATERAL (${PURGE_DIGEST} WHERE purge = p.id) AS k
  LEFT JOIN LATERAL (
    SELECT e."position"
      FROM synap.events AS e
     WHERE e."position" = p."position" AND e.type = '${PURGE_EVENT_TYPE}' AND e.data ->> 'purge' = p.id::text
       AND e.data -> 'events' = to_jsonb(k.events) AND e.data ->> 'digest' = k.digest
  ) AS e ON true
 -- An erasure removes no event.
 WHERE p.erased_subject IS NULL OR k.events > 0
 ORDER BY p.begun_at`;

interface PurgeRow {
  readonly id: string;
  readonly is_unfinished: boolean;
  readonly events: number;
  readonly is_recorded: boolean;
}

/**
 * Compares what was kept of purged events with the events that record the purges: without one, whoever can remove an event could make it
 * look like purged.
 */
export async function verifyPurges(session: SqlSession, report: (fault: ChainFault) => void): Promise<void> {
  for (const {
    id,
    is_unfinished: isUnfinished,
    events,
    is_recorded: isRecorded,
  } of await session.query<PurgeRow>(PURGES)) {
    if (isRecorded) continue;
    const removed = counted(events, "event was", "events were");
    const message = isUnfinished
      ? `${removed} removed by purge ${id}, which was interrupted or is under way.`
      : `${removed} removed under the name of purge ${id}, and the log has no event that records that.`;
    report({ kind: "purge-unrecorded", message, found: events });
  }
}
