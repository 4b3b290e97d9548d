import type { SqlSession } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import { foldRows, textOf } from "../projections/fold-rows.ts";
import { defineProjection, type Projection } from "../projections/projection.ts";

interface TaskRow {
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
  readonly assignee_id: string | null;
  readonly due_date: string | null;
  readonly priority: string;
  readonly status: "open" | "done";
  readonly outcome: string | null;
  readonly created_by: string;
  readonly created_at: string;
  readonly completed_at: string | null;
}

/** Keeps `synap_read.tasks_view`: every task as it stands. */
export const tasksViewProjection: Projection = defineProjection({
  name: "tasks-view",
  version: 1,
  description: "Keeps every task as it stands.",
  eventTypes: ["task.created", "task.assigned", "task.completed"],
  mode: "async",
  tables: [
    {
      name: "tasks_view",
      key: ["id"],
      columns: `id text NOT NULL COLLATE "C", title text NOT NULL, description text, assignee_id text COLLATE "C",
        due_date date, priority text NOT NULL, status text NOT NULL, outcome text, created_by text NOT NULL,
        created_at timestamptz(3) NOT NULL, completed_at timestamptz(3)`,
      // "What has this person to do, and by when?", and the same of everybody. Tasks that are done are read by id.
      indexes: ["(assignee_id, due_date, id) WHERE status = 'open'", "(due_date, id) WHERE status = 'open'"],
    },
  ],
  apply: (events, context) =>
    foldRows<TaskRow>(events, context, {
      table: "tasks_view",
      key: "id",
      columns: [
        "id",
        "title",
        "description",
        "assignee_id",
        "due_date",
        "priority",
        "status",
        "outcome",
        "created_by",
        "created_at",
        "completed_at",
      ],
      keyOf: (event) => event.aggregateId,
      evolve,
    }),
});

function evolve(row: TaskRow | undefined, event: StoredEvent): TaskRow | undefined {
  if (event.type === "task.created") {
    return {
      id: event.aggregateId,
      title: textOf(event, "title") ?? "",
      description: textOf(event, "description"),
      assignee_id: textOf(event, "assigneeId"),
      due_date: textOf(event, "dueDate"),
      priority: textOf(event, "priority") ?? "normal",
      status: "open",
      outcome: null,
      created_by: event.createdBy,
      created_at: event.timestamp,
      completed_at: null,
    };
  }
  if (row === undefined) return undefined;
  if (event.type === "task.assigned") return { ...row, assignee_id: textOf(event, "assigneeId") };
  return { ...row, status: "done", outcome: textOf(event, "outcome"), completed_at: event.timestamp };
}

/** A task as the view shows it. Days are YYYY-MM-DD. */
export interface TaskView {
  readonly id: string;
  readonly title: string;
  readonly assigneeId: string | null;
  readonly dueDate: string | null;
  readonly priority: string;
  readonly createdAt: Date;
}

/** Open tasks, of one person or of all, the ones that are due first first. Default 100, at most 1,000. */
export function openTasks(
  session: SqlSession,
  { assigneeId = null, limit = 100 }: { readonly assigneeId?: string | null; readonly limit?: number } = {},
): Promise<TaskView[]> {
  return session.query<TaskView>(
    `SELECT id, title, assignee_id AS "assigneeId", due_date::text AS "dueDate", priority, created_at AS "createdAt"
       FROM synap_read.tasks_view
      WHERE status = 'open' AND ($1::text IS NULL OR assignee_id = $1)
      ORDER BY due_date, id LIMIT $2`,
    [assigneeId, Math.min(limit, 1_000)],
  );
}
