import { descendingPages, type SqlSession } from "@synap/database";
import { DEFAULT_PAGE_SIZE, READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import type { z } from "zod";
import { defineReadModel } from "./read-model.ts";

/** One entry of the audit log. */
export interface AuditEntry {
  readonly position: number;
  readonly happenedAt: Date;
  readonly recordedAt: Date;
  readonly eventId: string;
  /** "user:{id}", "agent:{name}" or "system". */
  readonly actor: string;
  readonly userId: string | null;
  /** The event's type. */
  readonly action: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly source: string;
  readonly correlationId: string | null;
}

/** Selects entries of the audit log. */
export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly subject?: { readonly type: string; readonly id: string } | undefined;
  /** Only entries with a lower position: the last one of the previous page. */
  readonly before?: number | undefined;
  /** Default 100, at most 1,000. */
  readonly limit?: number | undefined;
}

const ENTRIES = `
SELECT "position", happened_at AS "happenedAt", recorded_at AS "recordedAt", event_id AS "eventId", actor, user_id AS "userId",
       action, subject_type AS "subjectType", subject_id AS "subjectId", source, correlation_id AS "correlationId"
  FROM synap.audit_entries($1, $2, $3, $4, $5)
 ORDER BY "position" DESC`;

/**
 * Reads entries of the audit log, newest first. It is a view over the log, so every stored event has its entry. Pages from the
 * newest to the oldest have every event that was stored when the first was read.
 */
export function auditLog(
  session: SqlSession,
  { actor, subject, before, limit = 100 }: AuditFilter = {},
): Promise<AuditEntry[]> {
  return session.query<AuditEntry>(ENTRIES, [
    actor ?? null,
    subject?.type ?? null,
    subject?.id ?? null,
    before ?? null,
    Math.min(limit, 1_000),
  ]);
}

/** The audit log over HTTP. */
export const auditLogReadModel = defineReadModel({
  path: "audit-log",
  description: "Who did what to which aggregate, and when; newest first",
  writtenBy: [],
  parameters: READ_MODEL_REQUESTS.auditLog.query,
  response: READ_MODEL_RESOURCES.AuditLog,
  ownRows: true,
  read: (session, parameters) => pageOf(session, parameters),
  readPast: (session, parameters, { position }) => pageOf(session, parameters, position),
});

type Page = z.output<typeof READ_MODEL_REQUESTS.auditLog.query>;

async function pageOf(
  session: SqlSession,
  { cursor, limit = DEFAULT_PAGE_SIZE, ...filter }: Page,
  last?: number,
) {
  const { actor, subjectType: type, subjectId: id } = filter;
  const subject = type === undefined || id === undefined ? undefined : { type, id };
  const { before, next } = descendingPages("audit-log", filter, cursor);
  const end = last === undefined ? before : Math.min(before ?? last + 1, last + 1);
  const entries = await auditLog(session, { actor, subject, before: end, limit });
  // A page that isn't full is the last one.
  return { entries, ...next(entries.length < limit ? undefined : entries.at(-1)?.position) };
}
