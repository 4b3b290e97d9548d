import type { Database, Transaction } from "@synap/database";
import { defineProjection, defineReadModel, keyText, moment, readTable } from "@synap/handlers";
import { taskEventTypes } from "@synap/types";
import { READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { and, asc, eq, sql } from "drizzle-orm";
import { date, index, text } from "drizzle-orm/pg-core";

/** `synap_read.tasks_view`: one row per task. */
export const tasksView = readTable(
  "tasks_view",
  {
    id: keyText("id").primaryKey(),
    title: text("title").notNull(),
    description: text("description"),
    assigneeId: keyText("assignee_id"),
    dueDate: date("due_date"),
    priority: text("priority", { enum: ["low", "normal", "high"] }).notNull(),
    status: text("status", { enum: ["open", "done"] }).notNull(),
    outcome: text("outcome"),
    createdBy: text("created_by").notNull(),
    createdAt: moment("created_at").notNull(),
    completedAt: moment("completed_at"),
  },
  // Open tasks of one person or of all, by due date. Completed tasks are read by id.
  (table) => [
    index().on(table.assigneeId, table.dueDate, table.id).where(sql`${table.status} = 'open'`),
    index().on(table.dueDate, table.id).where(sql`${table.status} = 'open'`),
  ],
);

/** Maintains {@link tasksView}. */
export const tasksViewProjection = defineProjection({
  name: "tasks-view",
  version: 1,
  description: "Maintains the state of every task.",
  events: taskEventTypes,
  mode: "async",
  table: tasksView,
  owner: { userId: "assigneeId" },
  evolve(row, event) {
    if (event.type === "task.created") {
      const {
        title,
        description = null,
        assigneeId = null,
        dueDate = null,
        priority = "normal",
      } = event.data;
      return {
        id: event.aggregateId,
        title,
        description,
        assigneeId,
        dueDate,
        priority,
        status: "open",
        outcome: null,
        createdBy: event.createdBy,
        createdAt: event.timestamp,
        completedAt: null,
      };
    }
    if (row === undefined) return undefined;
    if (event.type === "task.assigned") return { ...row, assigneeId: event.data.assigneeId };
    return { ...row, status: "done", outcome: event.data.outcome ?? null, completedAt: event.timestamp };
  },
});

/** A row of the view. Days are YYYY-MM-DD. */
export type TaskView = Awaited<ReturnType<typeof openTasks>>[number];

/** Reads open tasks of one person or of all, by due date, soonest first. Default 100, at most 1,000. */
export function openTasks(
  { orm }: Pick<Database | Transaction, "orm">,
  {
    assigneeId,
    limit = 100,
  }: { readonly assigneeId?: string | undefined; readonly limit?: number | undefined } = {},
) {
  const { id, title, dueDate, priority, createdAt } = tasksView;
  const ofPerson = assigneeId === undefined ? undefined : eq(tasksView.assigneeId, assigneeId);
  return orm
    .select({ id, title, assigneeId: tasksView.assigneeId, dueDate, priority, createdAt })
    .from(tasksView)
    .where(and(sql`${tasksView.status} = 'open'`, ofPerson))
    .orderBy(asc(dueDate), asc(id))
    .limit(Math.min(limit, 1_000));
}

/** Open tasks over HTTP. */
export const tasksReadModel = defineReadModel({
  path: "tasks",
  description: "Open tasks, ordered by due date, soonest first",
  writtenBy: [tasksViewProjection],
  parameters: READ_MODEL_REQUESTS.tasks.query,
  response: READ_MODEL_RESOURCES.Tasks,
  ownRows: true,
  read: async (session, { owner: assigneeId, limit }) => ({
    tasks: await openTasks(session, { assigneeId, limit }),
  }),
});
