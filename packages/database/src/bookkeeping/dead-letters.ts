import { createHash } from "node:crypto";
import type { SqlSession } from "../connection/sql-session.ts";

/** What is put aside, and why. */
export interface DeadLetterInput {
  /** The handler that failed; ingestion has a name of its own. */
  readonly handler: string;
  /** The event, whole, whatever it is: one that is not even an event is kept too. */
  readonly event: unknown;
  /** Where it is stored, if it is. */
  readonly position?: number | undefined;
  /** What kind of failure, in kebab case. */
  readonly code: string;
  /** What happened, for people. */
  readonly reason: string;
  /** How often it was tried. */
  readonly attempts: number;
}

export type DeadLetterStatus = "open" | "retried" | "skipped";

export interface DeadLetter {
  readonly id: number;
  readonly handler: string;
  readonly eventId: string;
  readonly event: unknown;
  readonly position?: number;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly status: DeadLetterStatus;
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
}

const RECORD = `
INSERT INTO synap.dead_letters AS d (handler, event_id, event, "position", code, reason, attempts)
VALUES ($1, $2, $3::text::json, $4, $5, $6, $7)
ON CONFLICT (handler, event_id) DO UPDATE
   SET attempts = d.attempts + EXCLUDED.attempts,
       code = EXCLUDED.code,
       reason = EXCLUDED.reason,
       "position" = coalesce(EXCLUDED."position", d."position"),
       last_failed_at = now(),
       -- What somebody has decided to skip stays skipped; what was tried again and failed again is open again.
       status = CASE d.status WHEN 'skipped' THEN 'skipped' ELSE 'open' END
RETURNING id`;

/** Puts an event aside. The same event again for the same handler adds to its letter. Answers the letter's id. */
export async function recordDeadLetter(session: SqlSession, letter: DeadLetterInput): Promise<number> {
  const json = JSON.stringify(letter.event) ?? "null";
  const rows = await session.query<{ id: number }>(RECORD, [
    letter.handler,
    idOf(letter.event, json),
    json,
    letter.position ?? null,
    letter.code,
    storable(letter.reason).slice(0, 10_000),
    letter.attempts,
  ]);
  return rows[0]?.id ?? 0;
}

export interface DeadLetterFilter {
  readonly handler?: string | undefined;
  readonly status?: DeadLetterStatus | undefined;
  /** Only letters with a lower id: the last one of the page before. */
  readonly before?: number | undefined;
  /** Default 100. */
  readonly limit?: number | undefined;
}

interface DeadLetterRow {
  readonly id: number;
  readonly handler: string;
  readonly event_id: string;
  readonly event: unknown;
  readonly position: number | null;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly status: DeadLetterStatus;
  readonly first_failed_at: Date;
  readonly last_failed_at: Date;
}

const LIST = `
SELECT id, handler, event_id, event, "position", code, reason, attempts, status, first_failed_at, last_failed_at
  FROM synap.dead_letters
 WHERE ($1::text IS NULL OR handler = $1) AND ($2::text IS NULL OR status = $2) AND ($3::bigint IS NULL OR id < $3)
 ORDER BY id DESC
 LIMIT $4`;

/** Dead letters, newest first. */
export async function listDeadLetters(
  session: SqlSession,
  filter: DeadLetterFilter = {},
): Promise<DeadLetter[]> {
  const { handler = null, status = null, before = null, limit = 100 } = filter;
  const rows = await session.query<DeadLetterRow>(LIST, [handler, status, before, limit]);
  return rows.map((row) => ({
    id: row.id,
    handler: row.handler,
    eventId: row.event_id,
    event: row.event,
    ...(row.position !== null && { position: row.position }),
    code: row.code,
    reason: row.reason,
    attempts: row.attempts,
    status: row.status,
    firstFailedAt: row.first_failed_at.toISOString(),
    lastFailedAt: row.last_failed_at.toISOString(),
  }));
}

/** The event's id, or something that stands for the same content when it has none. */
function idOf(event: unknown, json: string): string {
  const id = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
  if (typeof id === "string" && id.length > 0 && id.length <= 128) return storable(id);
  return `sha256:${createHash("sha256").update(json).digest("hex")}`;
}

/** PostgreSQL's text holds every character but this one, and no half of a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll("\0", "\ufffd").replaceAll(/\p{Surrogate}/gu, "\ufffd");
}
