import { counted } from "@synap/types/internal";
import { ARCHIVE_EVENT_TYPE } from "../archive/archive-event.ts";
import { isArchived } from "../archive/archived-ranges.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import type { ChainFault } from "./chain-fault.ts";

// The event that records an archived chunk may be archived itself; its chunk's own record then vouches for it. Not in the chunk that it
// records, nor in an earlier one: each could vouch for itself.
const ARCHIVES = `
SELECT c.chunk, c.events, coalesce(b.events, 0) + coalesce(d.events, 0) AS noted,
       e."position" IS NOT NULL OR c."position" > c.last_position AND ${isArchived('c."position"')} AS is_recorded
  FROM (
    SELECT chunk FROM synap.archived_chunks WHERE state = 'dropped'
     UNION SELECT chunk FROM synap.archived_blocks
     UNION SELECT chunk FROM synap.archived_digests
     UNION SELECT chunk FROM synap.archived_ranges
  ) AS n
  LEFT JOIN synap.archived_chunks AS c ON c.chunk = n.chunk AND c.state = 'dropped'
  LEFT JOIN (
    SELECT x.chunk, sum(k.events)::bigint AS events
      FROM synap.archived_blocks AS x
      JOIN synap.chain_blocks AS k ON k.number = x.number
     GROUP BY x.chunk
  ) AS b ON b.chunk = n.chunk
  LEFT JOIN (SELECT g.chunk, count(*) AS events FROM synap.archived_digests AS g GROUP BY g.chunk) AS d ON d.chunk = n.chunk
  LEFT JOIN LATERAL (
    SELECT e."position"
      FROM synap.events AS e
     WHERE e."position" = c."position" AND e.type = '${ARCHIVE_EVENT_TYPE}' AND e.data ->> 'chunk' = c.chunk
       AND e.data -> 'events' = to_jsonb(c.events) AND e.data ->> 'digest' = encode(c.digest, 'hex') AND e.data -> 'files' = c.files
  ) AS e ON true
 ORDER BY c.range_start, n.chunk`;

interface ArchiveRow {
  /** Null when something is noted for a chunk that was never dropped as archived. */
  readonly chunk: string | null;
  readonly events: number;
  readonly noted: number;
  readonly is_recorded: boolean;
}

/**
 * Compares what is noted of dropped chunks with the events that record them: without one, whoever can drop a chunk could make it look like
 * archived. Whether the archive has the events is not looked at.
 */
export async function verifyArchives(
  session: SqlSession,
  report: (fault: ChainFault) => void,
): Promise<void> {
  for (const { chunk, events, noted, is_recorded: isRecorded } of await session.query<ArchiveRow>(ARCHIVES)) {
    if (chunk === null) {
      report({
        kind: "archive-unrecorded",
        message: "Events are noted as archived that no archived chunk has.",
      });
    } else if (!isRecorded) {
      const message = `The chunk ${chunk} with ${counted(events, "event")} was dropped as archived, and the log has no event that records that.`;
      report({ kind: "archive-unrecorded", message, chunk, expected: events, found: 0 });
    } else if (noted !== events) {
      const message = `Of the archived chunk ${chunk}, ${counted(noted, "event is", "events are")} noted in the chain in place of ${events}.`;
      report({ kind: "archive-unrecorded", message, chunk, expected: events, found: noted });
    }
  }
}
