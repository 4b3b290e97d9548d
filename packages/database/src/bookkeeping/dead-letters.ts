import { createHash } from "node:crypto";
import type { StoredEvent, StreamName } from "@synap/types";
import { cleanText } from "@synap/types/internal";
import canonicalize from "canonicalize";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import {
  type BoundedRow,
  checkMaxBytes,
  isPageCut,
  MAX_PAGE_BYTES,
  selectBoundedRows,
} from "../reading/page-bytes.ts";

/** A dead letter to record. */
export interface DeadLetterInput {
  /** The handler that failed; `ingest-events` for ingestion. */
  readonly handler: string;
  /** The complete event, or the received value that is not an event. */
  readonly event: unknown;
  /** Position of the event, if it is stored. */
  readonly position?: number | undefined;
  /**
   * True if each content of an event id gets a dead letter, because senders may give the same id to different refused events.
   * Default false: the id identifies one stored event.
   */
  readonly byContent?: boolean | undefined;
  /** The stream that the dead letter holds, if it holds one. */
  readonly stream?: StreamName | undefined;
  /** Kind of failure, in kebab case. */
  readonly code: string;
  /** Description of the failure, for people. */
  readonly reason: string;
  /** Number of attempts. */
  readonly attempts: number;
}

export type DeadLetterStatus = "open" | "retried" | "skipped";

/** A dead letter: an event that failed, with its failure. */
export type DeadLetter<Event extends StoredEvent = StoredEvent> = DeadLetterFacts &
  (
    | {
        /** A handler failed on the stored event. */
        readonly stage: "handling";
        readonly event: Event;
      }
    | {
        /** The store refused the event, which is kept as received: parse it with a catalogue's `safeParseSynapEvent`. */
        readonly stage: "storing";
        readonly event: unknown;
      }
  );

interface DeadLetterFacts {
  readonly id: number;
  readonly handler: string;
  readonly eventId: string;
  /** Position of the event, if it is stored. */
  readonly position?: number;
  /** The stream that it holds or held. */
  readonly stream?: StreamName;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly status: DeadLetterStatus;
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
  /** Number of the stream's events that wait behind it, for its handler. */
  readonly parked: number;
  /** Time, actor and reason of the retry or skip. */
  readonly resolvedAt?: string;
  readonly resolvedBy?: string;
  readonly resolution?: string;
}

const RECORD = `
INSERT INTO synap.dead_letters AS d (handler, event_id, event, "position", code, reason, attempts, aggregate_type, aggregate_id, content)
VALUES ($1, $2, $3::text::json, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (handler, event_id, content) DO UPDATE
   SET attempts = d.attempts + EXCLUDED.attempts,
       code = EXCLUDED.code,
       reason = EXCLUDED.reason,
       "position" = coalesce(EXCLUDED."position", d."position"),
       aggregate_type = coalesce(EXCLUDED.aggregate_type, d.aggregate_type),
       aggregate_id = coalesce(EXCLUDED.aggregate_id, d.aggregate_id),
       last_failed_at = now(),
       -- What somebody has decided to skip stays skipped; what was tried again and failed again is open again.
       status = CASE d.status WHEN 'skipped' THEN 'skipped' ELSE 'open' END
RETURNING id, status`;

/** Records a dead letter, or updates the one of the same event and handler: a skipped one stays skipped. */
export async function recordDeadLetter(
  session: SqlSession,
  deadLetter: DeadLetterInput,
): Promise<{ id: number; status: DeadLetterStatus }> {
  const json = JSON.stringify(deadLetter.event) ?? "null";
  const rows = await session.query<{ id: number; status: DeadLetterStatus }>(RECORD, [
    deadLetter.handler,
    idOf(deadLetter.event, json),
    json,
    deadLetter.position ?? null,
    cleanText(deadLetter.code, 128),
    cleanText(deadLetter.reason, 10_000),
    deadLetter.attempts,
    deadLetter.stream?.aggregateType ?? null,
    deadLetter.stream?.aggregateId ?? null,
    deadLetter.byContent === true ? contentKey(deadLetter.event) : "",
  ]);
  const [row] = rows;
  if (row === undefined) throw new Error("Recording a dead letter returned no row.");
  return row;
}

export interface DeadLetterFilter {
  readonly handler?: string | undefined;
  readonly status?: DeadLetterStatus | undefined;
  /** Only those of streams of this aggregate type ... */
  readonly aggregateType?: string | undefined;
  /** ... and this aggregate id. */
  readonly aggregateId?: string | undefined;
  /** Only dead letters with a lower id: the last one of the previous page. */
  readonly before?: number | undefined;
  /** Only the dead letter with this id. */
  readonly id?: number | undefined;
  /** Default 100. Fewer come when they are large: a page ends with the dead letter whose event reaches `maxBytes`. */
  readonly limit?: number | undefined;
  /** Default and maximum: 4 MiB. */
  readonly maxBytes?: number | undefined;
}

/** One page of dead letters. */
export interface DeadLetterPage<Event extends StoredEvent = StoredEvent> {
  readonly deadLetters: readonly DeadLetter<Event>[];
  /** True if there are more, beyond `limit` or `maxBytes`: request those before the last one of this page. */
  readonly isCut: boolean;
}

type DeadLetterRow = DeadLetterColumns &
  (
    | { readonly stage: "handling"; readonly event: StoredEvent }
    | { readonly stage: "storing"; readonly event: unknown }
  );

interface DeadLetterColumns extends BoundedRow {
  readonly id: number;
  readonly handler: string;
  readonly event_id: string;
  readonly position: number | null;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly status: DeadLetterStatus;
  readonly first_failed_at: number;
  readonly last_failed_at: number;
  readonly aggregate_type: string | null;
  readonly aggregate_id: string | null;
  readonly resolved_at: number | null;
  readonly resolved_by: string | null;
  readonly resolution: string | null;
  readonly parked: number;
}

const LIST = selectBoundedRows(
  `
SELECT d.id, d.handler, d.event_id, d.event, d."position", d.code, d.reason, d.attempts, d.status,
       -- Only refused events are distinguished by their content; the id of a stored one names it.
       CASE d.content WHEN '' THEN 'handling' ELSE 'storing' END AS stage,
       ${epochMs("d.first_failed_at")} AS first_failed_at, ${epochMs("d.last_failed_at")} AS last_failed_at,
       d.aggregate_type, d.aggregate_id, ${epochMs("d.resolved_at")} AS resolved_at, d.resolved_by, d.resolution,
       CASE
         WHEN EXISTS (SELECT FROM synap.held_streams AS h
                       WHERE h.handler = d.handler AND h.aggregate_type = d.aggregate_type
                         AND h.aggregate_id = d.aggregate_id AND h.dead_letter_id = d.id)
         THEN (SELECT count(*) FROM synap.parked_events AS p
                WHERE p.handler = d.handler AND p.aggregate_type = d.aggregate_type AND p.aggregate_id = d.aggregate_id)
         ELSE 0
       END AS parked
  FROM synap.dead_letters AS d
 WHERE ($1::text IS NULL OR d.handler = $1) AND ($2::text IS NULL OR d.status = $2)
   AND ($3::bigint IS NULL OR d.id < $3) AND ($5::bigint IS NULL OR d.id = $5)
   AND ($6::text IS NULL OR d.aggregate_type = $6) AND ($7::text IS NULL OR d.aggregate_id = $7)
 ORDER BY d.id DESC
 LIMIT $4`,
  "id DESC",
  "$8",
  ["event"],
);

/** Reads dead letters, newest first, as many as fit. */
export async function listDeadLetters(
  session: SqlSession,
  filter: DeadLetterFilter = {},
): Promise<readonly DeadLetter[]> {
  return (await pageDeadLetters(session, filter)).deadLetters;
}

/**
 * Reads one page of dead letters, newest first.
 * @throws RangeError when `maxBytes` is out of bounds.
 */
export async function pageDeadLetters(
  session: SqlSession,
  filter: DeadLetterFilter = {},
): Promise<DeadLetterPage> {
  const { handler = null, status = null, before = null, limit = 100, id = null } = filter;
  const { aggregateType = null, aggregateId = null, maxBytes = MAX_PAGE_BYTES } = filter;
  checkMaxBytes(maxBytes);
  // One row more than requested shows whether there is a next page.
  const parameters = [handler, status, before, limit + 1, id, aggregateType, aggregateId, maxBytes];
  const rows = await session.query<DeadLetterRow>(LIST, parameters);
  return {
    deadLetters: rows.slice(0, limit).map(toDeadLetter),
    isCut: isPageCut(rows) || rows.length > limit,
  };
}

function toDeadLetter(row: DeadLetterRow): DeadLetter {
  return {
    id: row.id,
    handler: row.handler,
    eventId: row.event_id,
    // Written out for the compiler, which relates the event to its stage only where the stage is known.
    ...(row.stage === "handling"
      ? { stage: row.stage, event: row.event }
      : { stage: row.stage, event: row.event }),
    ...(row.position !== null && { position: row.position }),
    ...(row.aggregate_type !== null &&
      row.aggregate_id !== null && {
        stream: { aggregateType: row.aggregate_type, aggregateId: row.aggregate_id },
      }),
    code: row.code,
    reason: row.reason,
    attempts: row.attempts,
    status: row.status,
    firstFailedAt: isoFromEpoch(row.first_failed_at),
    lastFailedAt: isoFromEpoch(row.last_failed_at),
    parked: row.parked,
    ...(row.resolved_at !== null && { resolvedAt: isoFromEpoch(row.resolved_at) }),
    ...(row.resolved_by !== null && { resolvedBy: row.resolved_by }),
    ...(row.resolution !== null && { resolution: row.resolution }),
  };
}

/** The event's id, or a hash of the content when it has none. */
function idOf(event: unknown, json: string): string {
  const id = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
  if (typeof id === "string" && id.length > 0 && id.length <= 128) return cleanText(id, 128);
  return `sha256:${createHash("sha256").update(json).digest("hex")}`;
}

/** A hash of an event's content (type, stream and data), independent of the order of fields. */
function contentKey(event: unknown): string {
  const given: Readonly<Record<string, unknown>> =
    typeof event === "object" && event !== null ? { ...event } : { event };
  const { type, aggregateType, aggregateId, data } = given;
  const content = "data" in given ? { type, aggregateType, aggregateId, data } : given;
  return createHash("sha256")
    .update(canonicalize(content) ?? "")
    .digest("hex");
}
