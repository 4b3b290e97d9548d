import type { SqlSession } from "@synap/database";
import { epochMs, isoFromEpoch } from "@synap/database/internal";
import { INGEST_HANDLER } from "../ingest/accepted-events.ts";
import type { HandlerProcessing } from "./processing-state.ts";

/** The checkpoints, and the failures of passes that are tried again. */
export interface Progress {
  /** The position of each checkpoint, by its name. */
  readonly positions: ReadonlyMap<string, number>;
  /** By the name of the checkpoint. */
  readonly failures: ReadonlyMap<string, PassFailure>;
}

/** A failed pass of a handler, which will be tried again. */
export interface PassFailure {
  /** The event that failed, if it was isolated. */
  readonly position: number | undefined;
  readonly facts: Partial<HandlerProcessing>;
}

// A first pass that failed has left no checkpoint.
const PROGRESS = `
SELECT coalesce(c.handler, f.handler) AS handler, coalesce(c."position", 0) AS "position", f.handler IS NOT NULL AS failing, f."position" AS failed_position, f.code, f.attempts,
       left(f.reason, 1000) AS reason, ${epochMs("f.first_failed_at")} AS first_failed_at,
       ${epochMs("f.failed_at")} AS last_failed_at, ${epochMs("f.retry_at")} AS retry_at
  FROM synap.checkpoints AS c FULL JOIN synap.handler_failures AS f ON f.handler = c.handler`;

interface FailureColumns {
  readonly code: string | null;
  readonly reason: string | null;
  readonly attempts: number | null;
  readonly first_failed_at: number | null;
  readonly last_failed_at: number | null;
  readonly retry_at: number | null;
}

/** Reads the checkpoints of all handlers. */
export async function readProgress(session: SqlSession): Promise<Progress> {
  const rows = await session.query<
    FailureColumns & { handler: string; position: number; failing: boolean; failed_position: number | null }
  >(PROGRESS);
  return {
    positions: new Map(rows.map(({ handler, position }) => [handler, position])),
    failures: new Map(
      rows
        .filter(({ failing }) => failing)
        .map((row) => [row.handler, { position: row.failed_position ?? undefined, facts: failureOf(row) }]),
    ),
  };
}

/** A dead letter, a retry or a hold of one event for one handler: the part of its state that is stored. */
export interface RecordedState {
  readonly handler: string;
  readonly position: number;
  readonly state: "failed" | "parked" | "skipped" | "retried";
  readonly facts: Partial<HandlerProcessing>;
}

// An event that is tried again is parked as well, and its stream held by no dead letter.
const RECORDED = `
WITH wanted AS MATERIALIZED (
  SELECT p::bigint AS "position" FROM jsonb_array_elements_text($1::text::jsonb) AS p
)
SELECT d.handler, d."position",
       CASE d.status WHEN 'open' THEN 'failed' ELSE d.status END AS state, d.id AS dead_letter, d.code, d.attempts,
       left(d.reason, 1000) AS reason, ${epochMs("d.first_failed_at")} AS first_failed_at,
       ${epochMs("d.last_failed_at")} AS last_failed_at, NULL::bigint AS retry_at,
       ${epochMs("d.resolved_at")} AS resolved_at, d.resolved_by, d.resolution
  FROM wanted AS w JOIN synap.dead_letters AS d ON d."position" = w."position"
 WHERE d.handler <> $2
UNION ALL
SELECT p.handler, p."position", CASE WHEN h."position" = p."position" THEN 'failed' ELSE 'parked' END, h.dead_letter_id,
       h.code, h.attempts, left(h.reason, 1000), ${epochMs("h.first_failed_at")}, ${epochMs("h.failed_at")},
       ${epochMs("h.retry_at")}, NULL, NULL, NULL
  FROM wanted AS w
  JOIN synap.parked_events AS p ON p."position" = w."position"
  LEFT JOIN synap.held_streams AS h
    ON h.handler = p.handler AND h.aggregate_type = p.aggregate_type AND h.aggregate_id = p.aggregate_id`;

interface RecordedRow extends FailureColumns {
  readonly handler: string;
  readonly position: number;
  readonly state: RecordedState["state"];
  readonly dead_letter: number | null;
  readonly resolved_at: number | null;
  readonly resolved_by: string | null;
  readonly resolution: string | null;
}

/** Reads the dead letters and the parked events at some positions. */
export async function readRecorded(
  session: SqlSession,
  positions: readonly number[],
): Promise<RecordedState[]> {
  const rows = await session.query<RecordedRow>(RECORDED, [JSON.stringify(positions), INGEST_HANDLER]);
  return rows.map(({ handler, position, state, ...row }) => ({
    handler,
    position,
    state,
    facts: {
      // A parked event waits; the failure is the one of the event before it.
      ...(state === "parked" ? {} : failureOf(row)),
      ...(row.dead_letter !== null && { deadLetter: row.dead_letter }),
      ...(row.resolved_at !== null && { resolvedAt: isoFromEpoch(row.resolved_at) }),
      ...(row.resolved_by !== null && { resolvedBy: row.resolved_by }),
      ...(row.resolution !== null && { resolution: row.resolution }),
    },
  }));
}

function failureOf(row: FailureColumns): Partial<HandlerProcessing> {
  return {
    ...(row.code !== null && { code: row.code }),
    ...(row.reason !== null && { processingError: row.reason }),
    ...(row.attempts !== null && { attempts: row.attempts }),
    ...(row.first_failed_at !== null && { firstFailedAt: isoFromEpoch(row.first_failed_at) }),
    ...(row.last_failed_at !== null && { lastFailedAt: isoFromEpoch(row.last_failed_at) }),
    ...(row.retry_at !== null && { nextAttemptAt: isoFromEpoch(row.retry_at) }),
  };
}

// Each part stops at the limit in its index.
const EXCEPTIONS = `
SELECT e."position"
  FROM (
    (SELECT DISTINCT d."position" FROM synap.dead_letters AS d
      WHERE d."position" > $1 AND d.status = 'open' AND d.handler <> $3 AND ($4::text IS NULL OR d.handler = $4)
      ORDER BY d."position" LIMIT $2)
    UNION
    (SELECT DISTINCT p."position" FROM synap.parked_events AS p
      WHERE p."position" > $1 AND ($4::text IS NULL OR p.handler = $4)
      ORDER BY p."position" LIMIT $2)
    UNION
    (SELECT f."position" FROM synap.handler_failures AS f
      WHERE f."position" > $1 AND ($4::text IS NULL OR f.handler = $4 OR starts_with(f.handler, $4 || '/'))
      ORDER BY f."position" LIMIT $2)
  ) AS e
 ORDER BY e."position"
 LIMIT $2`;

/** Finds the next positions after one at which an event failed or is parked, for one handler or for any. */
export async function findExceptions(
  session: SqlSession,
  {
    after,
    limit,
    handler,
  }: { readonly after: number; readonly limit: number; readonly handler?: string | undefined },
): Promise<number[]> {
  const parameters = [after, limit, INGEST_HANDLER, handler ?? null];
  const rows = await session.query<{ position: number }>(EXCEPTIONS, parameters);
  return rows.map(({ position }) => position);
}
