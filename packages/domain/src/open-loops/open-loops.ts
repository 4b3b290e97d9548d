import type { Database, Transaction } from "@synap/database";
import { defineProjection, defineReadModel, keyText, moment, type RowOf, readTable } from "@synap/handlers";
import {
  checkMoment,
  openLoopEventTypes,
  readTimestamp,
  type StoredEvent,
  taskEventTypes,
} from "@synap/types";
import { READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { and, asc, count, desc, eq, inArray, isNull, lte, ne, or } from "drizzle-orm";
import { date, index, integer, text } from "drizzle-orm/pg-core";

/** `synap_read.open_loops`: one row per open loop and per task, including closed ones. */
export const openLoops = readTable(
  "open_loops",
  {
    id: keyText("id").primaryKey(),
    ownerId: keyText("owner_id"),
    title: text("title").notNull(),
    status: text("status", { enum: ["urgent", "waiting", "snoozed"] }).notNull(),
    score: integer("score").notNull(),
    entityType: text("entity_type"),
    entityId: text("entity_id"),
    snoozedUntil: moment("snoozed_until"),
    dueDate: date("due_date"),
    openedAt: moment("opened_at").notNull(),
    closedAt: moment("closed_at"),
    outcome: text("outcome"),
  },
  // "What's next?": the owner's open loops in the order of the result, without the closed ones, which will be most rows.
  (table) => [
    index().on(table.ownerId, desc(table.score), table.openedAt, table.id).where(isNull(table.closedAt)),
  ],
);

type OpenLoopRow = RowOf<typeof openLoops>;

/** The state of an open loop: urgent, waiting for somebody else, or snoozed. */
export type OpenLoopStatus = OpenLoopRow["status"];

/** A matter that its owner has not finished. */
export interface OpenLoop {
  /** The stream of its events: `open_loop/{id}` or `task/{id}`. */
  readonly id: string;
  readonly ownerId: string;
  readonly title: string;
  readonly status: OpenLoopStatus;
  /** 0 to 1000; higher scores come first. */
  readonly score: number;
  /** The type of the entity that it is about. */
  readonly entityType?: string;
  readonly entityId?: string;
  readonly snoozedUntil?: string;
  /** The due date of a task, YYYY-MM-DD. */
  readonly dueDate?: string;
  readonly openedAt: string;
}

/** The score of an open loop that was opened without one. */
const DEFAULT_SCORE = 500;

/** The score of a task by its priority. */
const TASK_SCORES = { high: 700, normal: DEFAULT_SCORE, low: 300 } as const;

/**
 * Maintains {@link openLoops} from open loops and tasks. A task is an open loop of its assignee from its creation to its
 * completion: urgent if its priority is high, otherwise waiting.
 */
export const openLoopsProjection = defineProjection({
  name: "open-loops",
  version: 1,
  description: "Maintains the open loops of every owner.",
  events: [...openLoopEventTypes, ...taskEventTypes],
  mode: "async",
  table: openLoops,
  owner: { userId: "ownerId" },
  key: loopOf,
  evolve(row, event) {
    switch (event.type) {
      case "open_loop.opened": {
        const {
          ownerId,
          title,
          status,
          score = DEFAULT_SCORE,
          entityType = null,
          entityId = null,
        } = event.data;
        return { ...opened(event), ownerId, title, status, score, entityType, entityId };
      }
      case "task.created": {
        const { title, assigneeId = null, priority = "normal", dueDate = null } = event.data;
        return {
          ...opened(event),
          title,
          ownerId: assigneeId,
          status: priority === "high" ? "urgent" : "waiting",
          score: TASK_SCORES[priority],
          entityType: "task",
          entityId: event.aggregateId,
          dueDate,
        };
      }
    }
    // Events of a loop that was never opened are ignored.
    if (row === undefined) return undefined;
    switch (event.type) {
      case "open_loop.status_changed":
        return { ...row, status: event.data.to, snoozedUntil: inUtc(event.data.snoozedUntil) };
      case "open_loop.score_changed":
        return { ...row, score: event.data.score };
      case "task.assigned":
        return { ...row, ownerId: event.data.assigneeId };
      case "open_loop.closed":
      case "task.completed":
        return { ...row, closedAt: event.timestamp, outcome: event.data.outcome ?? null };
    }
  },
});

function loopOf(event: StoredEvent): string {
  return `${event.aggregateType}/${event.aggregateId}`;
}

/** Converts a moment to UTC, because PostgreSQL refuses offsets of 16 hours or more. */
function inUtc(moment: string | undefined): string | null {
  const reading = readTimestamp(moment ?? "");
  return reading.ok ? reading.text : null;
}

function opened(event: StoredEvent): Omit<OpenLoopRow, "title" | "ownerId" | "status" | "score"> {
  return {
    id: loopOf(event),
    entityType: null,
    entityId: null,
    snoozedUntil: null,
    dueDate: null,
    openedAt: event.timestamp,
    closedAt: null,
    outcome: null,
  };
}

/** Options of {@link whatsNext}. */
export interface WhatsNextOptions {
  /** Default 20, at most 1,000. */
  readonly limit?: number | undefined;
  /** Only these. Default: urgent and waiting ones, and snoozed ones that are due again. */
  readonly statuses?: readonly OpenLoopStatus[];
  /** Default: the system's clock. */
  readonly now?: Date;
}

/**
 * Reads the open loops of an owner that are not snoozed, highest score first, then oldest first.
 *
 * @throws InvalidMomentError
 */
export async function whatsNext(
  { orm }: Pick<Database | Transaction, "orm">,
  ownerId: string,
  { limit = 20, statuses, now = new Date() }: WhatsNextOptions = {},
): Promise<OpenLoop[]> {
  const { status, snoozedUntil, score, openedAt, id, closedAt } = openLoops;
  const wanted =
    statuses === undefined
      ? or(ne(status, "snoozed"), lte(snoozedUntil, checkMoment("now", now).toISOString()))
      : inArray(status, [...statuses]);
  const rows = await orm
    .select()
    .from(openLoops)
    .where(and(eq(openLoops.ownerId, ownerId), isNull(closedAt), wanted))
    .orderBy(desc(score), asc(openedAt), asc(id))
    .limit(Math.min(limit, 1_000));
  return rows.map((row) => ({
    id: row.id,
    ownerId,
    title: row.title,
    status: row.status,
    score: row.score,
    ...(row.entityType !== null && { entityType: row.entityType }),
    ...(row.entityId !== null && { entityId: row.entityId }),
    ...(row.snoozedUntil !== null && { snoozedUntil: row.snoozedUntil }),
    ...(row.dueDate !== null && { dueDate: row.dueDate }),
    openedAt: row.openedAt,
  }));
}

/** Counts the open loops of an owner by status. */
export async function countOpenLoops(
  { orm }: Pick<Database | Transaction, "orm">,
  ownerId: string,
): Promise<Readonly<Record<OpenLoopStatus, number>>> {
  const { status, closedAt } = openLoops;
  const rows = await orm
    .select({ status, loops: count() })
    .from(openLoops)
    .where(and(eq(openLoops.ownerId, ownerId), isNull(closedAt)))
    .groupBy(status);
  const counts = { urgent: 0, waiting: 0, snoozed: 0 };
  for (const { status, loops } of rows) counts[status] = loops;
  return counts;
}

/** Open loops of a person over HTTP. */
export const openLoopsReadModel = defineReadModel({
  path: "open-loops",
  description:
    "Open loops of an owner that are not snoozed, highest score first. `counts` includes the snoozed ones",
  writtenBy: [openLoopsProjection],
  parameters: READ_MODEL_REQUESTS.openLoops.query,
  response: READ_MODEL_RESOURCES.OpenLoops,
  ownRows: true,
  read: async (session, { owner, limit }, { asOf: now }) => ({
    openLoops: await whatsNext(session, owner, { limit, ...(now !== undefined && { now }) }),
    counts: await countOpenLoops(session, owner),
  }),
});
