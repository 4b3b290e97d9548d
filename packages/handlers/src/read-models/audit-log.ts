import type { SqlSession } from "@synap/database";
import { defineStatementProjection } from "../projections/projection.ts";

/**
 * Maintains `synap_read.audit_log`: who did what to which aggregate and when, one row per event, without its data. An
 * ordinary table, so that searches by actor and by aggregate need not read every chunk of the events.
 */
export const auditLogProjection = defineStatementProjection({
  name: "audit-log",
  version: 1,
  description: "Records who did what, and when.",
  events: "all",
  mode: "async",
  tables: [
    {
      name: "audit_log",
      key: ["position"],
      columns: `"position" bigint NOT NULL, happened_at timestamptz(3) NOT NULL, recorded_at timestamptz(3) NOT NULL,
        event_id uuid NOT NULL, actor text NOT NULL COLLATE "C", user_id text COLLATE "C", action text NOT NULL COLLATE "C",
        subject_type text NOT NULL COLLATE "C", subject_id text NOT NULL COLLATE "C", source text NOT NULL COLLATE "C",
        request_id text, correlation_id text, causation_id uuid`,
      // "What did this actor do?" and "What happened to this aggregate?", latest first.
      indexes: ['(actor, "position")', '(subject_type, subject_id, "position")'],
    },
  ],
  statement: {
    columns: [
      "position",
      "timestamp",
      "recorded_at",
      "id",
      "created_by",
      "user_id",
      "type",
      "aggregate_type",
      "aggregate_id",
      "source",
      "request_id",
      "correlation_id",
      "causation_id",
    ],
    write: (table) => `
      INSERT INTO ${table("audit_log")}
        ("position", happened_at, recorded_at, event_id, actor, user_id, action, subject_type, subject_id, source,
         request_id, correlation_id, causation_id)
      SELECT "position", "timestamp", recorded_at, id, created_by, user_id, type, aggregate_type, aggregate_id, source,
             request_id, correlation_id, causation_id
        FROM events`,
  },
});

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

/** Reads entries of the audit log, newest first. */
export function auditLog(session: SqlSession, filter: AuditFilter = {}): Promise<AuditEntry[]> {
  const conditions: string[] = [];
  const parameters: (string | number)[] = [Math.min(filter.limit ?? 100, 1_000)];
  const where = (column: string, value: string | number | undefined, comparison = "=") => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(`${column} ${comparison} $${parameters.length}`);
  };
  where("actor", filter.actor);
  where("subject_type", filter.subject?.type);
  where("subject_id", filter.subject?.id);
  where('"position"', filter.before, "<");
  return session.query<AuditEntry>(
    `SELECT "position", happened_at AS "happenedAt", recorded_at AS "recordedAt", event_id AS "eventId", actor,
            user_id AS "userId", action, subject_type AS "subjectType", subject_id AS "subjectId", source,
            correlation_id AS "correlationId"
       FROM synap_read.audit_log ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`}
      ORDER BY "position" DESC LIMIT $1`,
    parameters,
  );
}
