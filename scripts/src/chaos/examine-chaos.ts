import { isDeepStrictEqual } from "node:util";
import type { SqlSession } from "@synap/database";
import type { JsonObject } from "@synap/types";
import { BROKEN_STREAMS, countRows, DISORDERED_STREAMS } from "../stress/store-laws.ts";
import type { LedgerEntry, SentEvent } from "./ledger.ts";

/** Broken promises of the store after a run. All zero: every promise was kept. */
export interface ChaosFindings {
  /** Answered 2xx and not in the log. */
  readonly acceptedAndLost: number;
  /** In the log with another type, stream, time or data than was sent. */
  readonly storedDifferently: number;
  /** Ids that more than one row has. */
  readonly storedTwice: number;
  /** Refused at every attempt, and stored all the same. */
  readonly refusedAndStored: number;
  /** Idempotency keys under which more than one event is stored. */
  readonly keysStoredTwice: number;
  /** Appends that were answered with another position or version than the log has. */
  readonly answeredWrongly: number;
  /** Events in the log that nobody sent, reactions aside. */
  readonly neverSent: number;
  /** Streams whose versions are not 1, 2, 3 ... up to what the stream's own row has. */
  readonly brokenStreams: number;
  /** Positions that two events have. */
  readonly positionsTakenTwice: number;
  /** Streams in which a later version has a lower position. */
  readonly disorderedStreams: number;
  /** Note requests to which the handler did not react exactly once. */
  readonly notesNotCompletedOnce: number;
  /** Notes that the inline read model lacks. */
  readonly notesNotProjected: number;
}

/** An event of the log, as the comparison reads it. */
export interface StoredEventRow {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly idempotencyKey: string | null;
  readonly position: number;
  readonly streamVersion: number;
  readonly data: JsonObject;
}

/** The findings that follow from the events alone. */
export type EventFindings = Pick<
  ChaosFindings,
  | "acceptedAndLost"
  | "storedDifferently"
  | "storedTwice"
  | "refusedAndStored"
  | "keysStoredTwice"
  | "answeredWrongly"
  | "neverSent"
  | "positionsTakenTwice"
>;

const REACTION = "note.creation.completed";

/** Compares everything that was sent and answered with every row of the log. */
export function compareEvents(
  entries: Iterable<LedgerEntry>,
  rows: readonly StoredEventRow[],
): EventFindings {
  const stored = new Map(rows.map((row) => [row.id, row]));
  const keys = rows.flatMap(({ idempotencyKey }) => idempotencyKey ?? []);
  const storedKeys = new Set(keys);
  const sent = new Set<string>();
  const findings = {
    acceptedAndLost: 0,
    storedDifferently: 0,
    storedTwice: rows.length - stored.size,
    refusedAndStored: 0,
    keysStoredTwice: keys.length - storedKeys.size,
    answeredWrongly: 0,
    neverSent: 0,
    positionsTakenTwice: rows.length - new Set(rows.map(({ position }) => position)).size,
  };
  for (const { event, outcome, stored: named } of entries) {
    sent.add(event.id);
    const row = stored.get(event.id);
    if (row === undefined) {
      // Of several events with one idempotency key, the first one is stored; it stands for the others.
      const isThere = event.idempotencyKey !== undefined && storedKeys.has(event.idempotencyKey);
      if (outcome === "accepted" && !isThere) findings.acceptedAndLost += 1;
      continue;
    }
    if (outcome === "refused") findings.refusedAndStored += 1;
    if (!isSame(event, row)) findings.storedDifferently += 1;
    if (
      named !== undefined &&
      (named.position !== row.position || named.streamVersion !== row.streamVersion)
    ) {
      findings.answeredWrongly += 1;
    }
  }
  for (const { id, type } of stored.values()) {
    if (!sent.has(id) && type !== REACTION) findings.neverSent += 1;
  }
  return findings;
}

function isSame(event: SentEvent, row: StoredEventRow): boolean {
  return (
    event.type === row.type &&
    event.aggregateType === row.aggregateType &&
    event.aggregateId === row.aggregateId &&
    (event.idempotencyKey ?? null) === row.idempotencyKey &&
    Date.parse(event.timestamp) === Date.parse(row.timestamp) &&
    isDeepStrictEqual(event.data, row.data)
  );
}

/** Asks the tables themselves, not the code under test. */
export async function examineChaos(
  session: SqlSession,
  entries: Iterable<LedgerEntry>,
): Promise<ChaosFindings> {
  const rows = await readEvents(session);
  return {
    ...compareEvents(entries, rows),
    brokenStreams: await countRows(session, BROKEN_STREAMS),
    disorderedStreams: await countRows(session, DISORDERED_STREAMS),
    notesNotCompletedOnce: await countRows(session, NOTES_NOT_COMPLETED_ONCE),
    notesNotProjected: await countRows(session, NOTES_NOT_PROJECTED),
  };
}

const PAGE = 10_000;

const NEXT_EVENTS = `
SELECT id::text AS id,
       type,
       to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "timestamp",
       aggregate_type AS "aggregateType",
       aggregate_id AS "aggregateId",
       idempotency_key AS "idempotencyKey",
       "position",
       stream_version AS "streamVersion",
       data::text AS data
  FROM synap.events
 WHERE ("position", id) > ($1::bigint, $2::text::uuid)
 ORDER BY "position", id
 LIMIT ${PAGE}`;

async function readEvents(session: SqlSession): Promise<StoredEventRow[]> {
  const all: StoredEventRow[] = [];
  for (let after = { position: 0, id: "00000000-0000-0000-0000-000000000000" }; ; ) {
    const rows = await session.query<Omit<StoredEventRow, "data"> & { data: string }>(NEXT_EVENTS, [
      after.position,
      after.id,
    ]);
    for (const row of rows) all.push({ ...row, data: JSON.parse(row.data) });
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return all;
    after = { position: last.position, id: last.id };
  }
}

// Counted in one pass: the log has no index by cause, and an hour leaves half a million events.
const NOTES_NOT_COMPLETED_ONCE = `
SELECT FROM synap.events AS requested
  LEFT JOIN (
         SELECT causation_id, count(*) AS reactions
           FROM synap.events
          WHERE type = '${REACTION}'
          GROUP BY causation_id
       ) AS completed ON completed.causation_id = requested.id
 WHERE requested.type = 'note.creation.requested' AND completed.reactions IS DISTINCT FROM 1`;

const NOTES_NOT_PROJECTED = `
SELECT FROM synap.events AS requested
 WHERE requested.type = 'note.creation.requested'
   AND NOT EXISTS (SELECT FROM synap_read.notes AS n WHERE n.id = requested.aggregate_id)`;
