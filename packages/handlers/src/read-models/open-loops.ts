import type { SqlSession } from "@synap/database";
import { checkMoment, readTimestamp, type StoredEvent } from "@synap/types";
import { foldRows, numberOf, textOf } from "../projections/fold-rows.ts";
import { defineProjection, type Projection } from "../projections/projection.ts";

/** How an open loop stands: it presses, it waits for somebody else, or it was put off. */
export type OpenLoopStatus = "urgent" | "waiting" | "snoozed";

/** Something that is not finished and belongs to somebody. */
export interface OpenLoop {
  /** `open_loop/{id}` or `task/{id}`: the stream it comes from. */
  readonly id: string;
  readonly ownerId: string;
  readonly title: string;
  readonly status: OpenLoopStatus;
  /** 0 to 1000: the higher, the sooner. */
  readonly score: number;
  /** What it is about. */
  readonly entityType?: string;
  readonly entityId?: string;
  readonly snoozedUntil?: string;
  /** A task's, YYYY-MM-DD. */
  readonly dueDate?: string;
  readonly openedAt: string;
}

interface OpenLoopRow {
  readonly id: string;
  readonly owner_id: string | null;
  readonly title: string;
  readonly status: string;
  readonly score: number;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly snoozed_until: string | null;
  readonly due_date: string | null;
  readonly opened_at: string;
  readonly closed_at: string | null;
  readonly outcome: string | null;
}

/** What an open loop weighs of which nobody said how much. */
const DEFAULT_SCORE = 500;

/** What a task weighs, by its priority. */
const TASK_SCORES: Readonly<Record<string, number>> = { high: 700, normal: DEFAULT_SCORE, low: 300 };

/**
 * Keeps `synap_read.open_loops`: everything that waits for somebody, from open loops and from tasks (a task is open from
 * its making to its completion, for whoever it is assigned to; one of high priority is urgent, any other waits).
 */
export const openLoopsProjection: Projection = defineProjection({
  name: "open-loops",
  version: 1,
  description: "Keeps what is open and for whom: answers what's next.",
  eventTypes: [
    "open_loop.opened",
    "open_loop.status_changed",
    "open_loop.score_changed",
    "open_loop.closed",
    "task.created",
    "task.assigned",
    "task.completed",
  ],
  mode: "async",
  tables: [
    {
      name: "open_loops",
      key: ["id"],
      columns: `id text NOT NULL COLLATE "C", owner_id text COLLATE "C", title text NOT NULL, status text NOT NULL,
        score integer NOT NULL, entity_type text, entity_id text, snoozed_until timestamptz(3), due_date date,
        opened_at timestamptz(3) NOT NULL, closed_at timestamptz(3), outcome text`,
      // "What's next?": the owner's open loops in the order of the answer. Closed ones, most of them in time, are not in it.
      indexes: ["(owner_id, score DESC, opened_at, id) WHERE closed_at IS NULL"],
    },
  ],
  apply: (events, context) =>
    foldRows<OpenLoopRow>(events, context, {
      table: "open_loops",
      key: "id",
      columns: [
        "id",
        "owner_id",
        "title",
        "status",
        "score",
        "entity_type",
        "entity_id",
        "snoozed_until",
        "due_date",
        "opened_at",
        "closed_at",
        "outcome",
      ],
      keyOf: loopOf,
      evolve,
    }),
});

function loopOf(event: StoredEvent): string {
  return `${event.aggregateType}/${event.aggregateId}`;
}

function evolve(row: OpenLoopRow | undefined, event: StoredEvent): OpenLoopRow | undefined {
  switch (event.type) {
    case "open_loop.opened":
      return {
        ...opened(event),
        owner_id: textOf(event, "ownerId"),
        status: textOf(event, "status") ?? "waiting",
        score: numberOf(event, "score") ?? DEFAULT_SCORE,
        entity_type: textOf(event, "entityType"),
        entity_id: textOf(event, "entityId"),
      };
    case "task.created": {
      const priority = textOf(event, "priority") ?? "normal";
      return {
        ...opened(event),
        owner_id: textOf(event, "assigneeId"),
        status: priority === "high" ? "urgent" : "waiting",
        score: TASK_SCORES[priority] ?? DEFAULT_SCORE,
        entity_type: "task",
        entity_id: event.aggregateId,
        due_date: textOf(event, "dueDate"),
      };
    }
  }
  // Of what was never opened, nothing can be told.
  if (row === undefined) return undefined;
  switch (event.type) {
    case "open_loop.status_changed":
      return {
        ...row,
        status: textOf(event, "to") ?? row.status,
        snoozed_until: momentOf(event, "snoozedUntil"),
      };
    case "open_loop.score_changed":
      return { ...row, score: numberOf(event, "score") ?? row.score };
    case "task.assigned":
      return { ...row, owner_id: textOf(event, "assigneeId") };
    default:
      return { ...row, closed_at: event.timestamp, outcome: textOf(event, "outcome") };
  }
}

/** PostgreSQL takes no offset of 16 hours or more, so the moment is written in UTC. */
function momentOf(event: StoredEvent, field: string): string | null {
  const reading = readTimestamp(textOf(event, field) ?? "");
  return reading.ok ? reading.text : null;
}

function opened(event: StoredEvent): OpenLoopRow {
  return {
    id: loopOf(event),
    owner_id: null,
    title: textOf(event, "title") ?? "",
    status: "waiting",
    score: DEFAULT_SCORE,
    entity_type: null,
    entity_id: null,
    snoozed_until: null,
    due_date: null,
    opened_at: event.timestamp,
    closed_at: null,
    outcome: null,
  };
}

/** What `whatsNext` may be asked. */
export interface WhatsNextOptions {
  /** Default 20, at most 1,000. */
  readonly limit?: number;
  /** Only these. Default: urgent and waiting, and snoozed ones whose time has come. */
  readonly statuses?: readonly OpenLoopStatus[];
  /** Default: the system's clock. */
  readonly now?: Date;
}

const WHATS_NEXT = `
SELECT id, owner_id, title, status, score, entity_type, entity_id, snoozed_until, due_date::text AS due_date, opened_at
  FROM synap_read.open_loops
 WHERE owner_id = $1 AND closed_at IS NULL
   AND CASE
         WHEN $2::text IS NOT NULL THEN status = ANY (ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb)))
         ELSE status <> 'snoozed' OR snoozed_until <= $3::timestamptz
       END
 ORDER BY score DESC, opened_at, id
 LIMIT $4`;

interface WhatsNextRow extends Omit<OpenLoopRow, "snoozed_until" | "opened_at"> {
  readonly owner_id: string;
  readonly status: OpenLoopStatus;
  readonly snoozed_until: Date | null;
  readonly opened_at: Date;
}

/** What's next for somebody: open loops that aren't put off, the highest score first, the oldest of equal ones. @throws InvalidMomentError */
export async function whatsNext(
  session: SqlSession,
  ownerId: string,
  { limit = 20, statuses, now = new Date() }: WhatsNextOptions = {},
): Promise<OpenLoop[]> {
  const rows = await session.query<WhatsNextRow>(WHATS_NEXT, [
    ownerId,
    statuses === undefined ? null : JSON.stringify(statuses),
    checkMoment("now", now),
    Math.min(limit, 1_000),
  ]);
  return rows.map((row) => ({
    id: row.id,
    ownerId: row.owner_id,
    title: row.title,
    status: row.status,
    score: row.score,
    ...(row.entity_type !== null && { entityType: row.entity_type }),
    ...(row.entity_id !== null && { entityId: row.entity_id }),
    ...(row.snoozed_until !== null && { snoozedUntil: row.snoozed_until.toISOString() }),
    ...(row.due_date !== null && { dueDate: row.due_date }),
    openedAt: row.opened_at.toISOString(),
  }));
}

/** How many open loops somebody has of each kind. */
export async function countOpenLoops(
  session: SqlSession,
  ownerId: string,
): Promise<Readonly<Record<OpenLoopStatus, number>>> {
  const rows = await session.query<{ status: OpenLoopStatus; loops: number }>(
    `SELECT status, count(*) AS loops FROM synap_read.open_loops
      WHERE owner_id = $1 AND closed_at IS NULL GROUP BY status`,
    [ownerId],
  );
  const counts = { urgent: 0, waiting: 0, snoozed: 0 };
  for (const { status, loops } of rows) counts[status] = loops;
  return counts;
}
