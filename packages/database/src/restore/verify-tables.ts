import { counted } from "@synap/types/internal";
import { isArchived } from "../archive/archived-ranges.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/** The kind of a {@link RestoredFault}. */
export type RestoredFaultKind =
  /** A stream has another version or other bounds than its events, or is missing. */
  | "stream-differs"
  /** The table of ids has an event that is not stored, has it elsewhere, or lacks one. */
  | "id-differs"
  /** As for ids, the idempotency keys. */
  | "key-differs"
  /** The append log has another number of events than are stored. */
  | "append-differs"
  /** A consumer has read beyond the end of the log. */
  | "checkpoint-ahead"
  /** A snapshot of an aggregate is newer than its stream. */
  | "snapshot-ahead"
  /** The next append would get a number that is taken. */
  | "numbers-behind";

/** A table that does not fit the events. */
export interface RestoredFault {
  readonly kind: RestoredFaultKind;
  /** One sentence, for people. */
  readonly message: string;
  /** The remedy, for people. */
  readonly cure: string;
  /** Number of rows that differ, and the first of them. */
  readonly rows: number;
  readonly first: string;
}

/** A comparison: a query of the names of the rows that differ, and what these mean. */
interface Comparison {
  readonly kind: RestoredFaultKind;
  readonly differing: string;
  readonly message: (rows: number, first: string) => string;
  readonly cure: string;
}

const RESTORE_ANEW =
  "The tables are not of one moment: restore all of the backup again, or an older one, and verify that.";

const ALL_EVENTS = `
  SELECT aggregate_type, aggregate_id, stream_version, "position", "timestamp" FROM synap.events
   UNION ALL
  SELECT aggregate_type, aggregate_id, stream_version, "position", NULL FROM synap.purged_events`;

/** Archived events, of which the table of ids has the places; not their streams. */
const ARCHIVED_EVENTS = `
  SELECT i.id, i."position", i."timestamp" FROM synap.event_ids AS i WHERE ${isArchived('i."position"')}`;

const SOME_ARCHIVED = "EXISTS (SELECT FROM synap.archived_ranges)";

const COMPARISONS: readonly Comparison[] = [
  {
    kind: "stream-differs",
    differing: `
      SELECT coalesce(s.aggregate_type, e.aggregate_type) || '/' || coalesce(s.aggregate_id, e.aggregate_id) AS name
        FROM synap.streams AS s
        FULL JOIN (
          SELECT aggregate_type, aggregate_id, count(*) AS events, max(stream_version) AS version,
                 min("timestamp") AS first, max("timestamp") AS last
            FROM (${ALL_EVENTS}) AS a
           GROUP BY aggregate_type, aggregate_id
        ) AS e ON e.aggregate_type = s.aggregate_type AND e.aggregate_id = s.aggregate_id
       WHERE s.first_timestamp > e.first OR s.last_timestamp < e.last
          OR CASE WHEN ${SOME_ARCHIVED} THEN s.version IS NULL OR e.version > s.version OR e.events > e.version
                  ELSE s.version IS DISTINCT FROM e.version OR e.events IS DISTINCT FROM e.version END
       UNION ALL
      -- Which events of a stream are archived is not known, but how many are in all.
      SELECT 'all streams together'
        FROM (SELECT sum(version) AS events FROM synap.streams) AS s
       CROSS JOIN (SELECT count(*) AS events FROM (${ALL_EVENTS}) AS a) AS e
       CROSS JOIN (SELECT sum(events) AS events FROM synap.archived_chunks WHERE state = 'dropped') AS c
       WHERE ${SOME_ARCHIVED} AND s.events <> e.events + c.events`,
    message: (rows, first) =>
      `${counted(rows, "stream does", "streams do")} not have the versions of its events, the first is ${first}.`,
    cure: RESTORE_ANEW,
  },
  {
    kind: "id-differs",
    differing: `
      SELECT coalesce(i.id, e.id)::text AS name
        FROM synap.event_ids AS i
        FULL JOIN synap.events AS e ON e.id = i.id
       WHERE (i."position" IS DISTINCT FROM e."position" OR i."timestamp" IS DISTINCT FROM e."timestamp"
              OR i.stream_version IS DISTINCT FROM e.stream_version)
         AND NOT (e.id IS NULL AND ${isArchived('i."position"')})
       UNION ALL
      SELECT c.chunk
        FROM synap.archived_chunks AS c
       WHERE c.state = 'dropped'
         AND c.events <> (
           SELECT count(*)
             FROM synap.archived_ranges AS r
             JOIN synap.event_ids AS i ON i."position" BETWEEN r.first_position AND r.last_position
            WHERE r.chunk = c.chunk)`,
    message: (rows, first) =>
      `${counted(rows, "event is", "events are")} not where the table of ids has it, the first is ${first}: one that is sent again could be stored twice.`,
    cure: RESTORE_ANEW,
  },
  {
    kind: "key-differs",
    differing: `
      SELECT coalesce(k.key, e.idempotency_key) AS name
        FROM synap.idempotency_keys AS k
        FULL JOIN (SELECT * FROM synap.events WHERE idempotency_key IS NOT NULL) AS e
          ON e.created_by = k.created_by AND e.idempotency_key = k.key
       WHERE (k."position" IS DISTINCT FROM e."position" OR k.event_id IS DISTINCT FROM e.id)
         AND NOT (e.id IS NULL AND ${isArchived('k."position"')})`,
    message: (rows, first) =>
      `${counted(rows, "idempotency key does", "idempotency keys do")} not lead to its event, the first is ${first}.`,
    cure: RESTORE_ANEW,
  },
  {
    kind: "append-differs",
    differing: `
      SELECT coalesce(a.number, e.number)::text AS name
        FROM synap.appends AS a
        FULL JOIN (
          SELECT "position" >> 10 AS number, count(*) AS events, max("position") AS last_position, min("timestamp") AS first,
                 max("timestamp") AS last
            FROM (
              SELECT "position", "timestamp" FROM (${ALL_EVENTS}) AS a
               UNION ALL
              SELECT "position", "timestamp" FROM (${ARCHIVED_EVENTS}) AS r
            ) AS n
           GROUP BY "position" >> 10
        ) AS e ON e.number = a.number
       WHERE a.count IS DISTINCT FROM e.events OR a.last_position IS DISTINCT FROM e.last_position
          OR a.min_timestamp > e.first OR a.max_timestamp < e.last`,
    message: (rows, first) =>
      `${counted(rows, "append does", "appends do")} not have the events that the append log says, the first is number ${first}.`,
    cure: RESTORE_ANEW,
  },
  {
    kind: "checkpoint-ahead",
    differing: `
      SELECT c.name
        FROM (
          SELECT handler AS name, "position" FROM synap.checkpoints
           UNION ALL SELECT 'the figures of events', "position" FROM synap.event_counts_end
           UNION ALL SELECT 'the hash chain', max(last_position) FROM synap.chain_blocks
           UNION ALL SELECT 'the horizon of replicas', number * 1024 FROM synap.read_horizon
        ) AS c
       WHERE c."position" > coalesce((SELECT max(number) FROM synap.appends), 0) * 1024 + 1023`,
    message: (rows, first) =>
      `${counted(rows, "consumer has", "consumers have")} read beyond the end of the log, the first is ${first}: it would skip new events.`,
    cure: "The tables are not of one moment: restore all of the backup again. If only a handler's checkpoint was changed, set it back, or rebuild its projection.",
  },
  {
    kind: "snapshot-ahead",
    differing: `
      SELECT a.aggregate_type || '/' || a.aggregate_id AS name
        FROM synap.aggregate_snapshots AS a
        LEFT JOIN synap.streams AS s ON s.aggregate_type = a.aggregate_type AND s.aggregate_id = a.aggregate_id
       WHERE s.version IS NULL OR s.version < a.stream_version`,
    message: (rows, first) =>
      `${counted(rows, "snapshot is", "snapshots are")} newer than its stream, the first is of ${first}.`,
    cure: "Snapshots are copies: DELETE FROM synap.aggregate_snapshots, as the login that migrates.",
  },
  {
    kind: "numbers-behind",
    differing: `
      SELECT s.last_value::text AS name
        FROM synap.append_sequence AS s
       WHERE s.last_value < coalesce((SELECT max(number) FROM synap.appends), 0)`,
    message: (_rows, first) =>
      `Append numbers continue after ${first}, and higher ones are taken: no event can be stored.`,
    cure: RESTORE_ANEW,
  },
];

/** Compares the tables beside the log with the events. Reads every event several times; nothing may append meanwhile. */
export async function verifyTables(session: SqlSession): Promise<RestoredFault[]> {
  const faults: RestoredFault[] = [];
  for (const { kind, differing, message, cure } of COMPARISONS) {
    const [row] = await session.query<{ rows: number; first: string | null }>(
      `SELECT count(*) AS rows, min(d.name COLLATE "C") AS first FROM (${differing}) AS d`,
    );
    if (row === undefined || row.first === null) continue;
    const { rows, first } = row;
    faults.push({ kind, message: message(rows, first), cure, rows, first });
  }
  return faults;
}
