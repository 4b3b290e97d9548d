import type { SqlSession } from "@synap/database";
import { EVENT_NUMBER_SQL } from "./batch-maker.ts";
import type { SentBatch } from "./load-plan.ts";

/** Comparison of the store and its read models with the events answered 2xx. */
export interface StoreFindings {
  readonly stored: number;
  /** Answered 2xx, and not in the store. */
  readonly lost: number;
  /** In the store more than once. */
  readonly twice: number;
  /** Stored, and not answered 2xx: a response may get lost, so there may be some under overload. */
  readonly unanswered: number;
  /** Events that a read model is short of, or has too many; and checkpoints that did not pass the last event. */
  readonly projectionFaults: readonly string[];
}

/**
 * Compares every id. The product must have stopped, or be idle.
 *
 * @param size events a batch
 */
export async function examineStore(
  session: SqlSession,
  batches: readonly SentBatch[],
  size: number,
): Promise<StoreFindings> {
  // A batch's numbers are its own, so as many different ones as it has events are exactly its events.
  const rows = await session.query<{ batch: number; rows: number; ids: number }>(
    `SELECT number / ${size} AS batch, count(*) AS rows, count(DISTINCT number) AS ids
       FROM (SELECT ${EVENT_NUMBER_SQL} AS number FROM synap.events WHERE source = 'bench') AS e
      GROUP BY 1`,
  );
  const stored = new Map(rows.map((row) => [row.batch, row.ids]));
  let lost = 0;
  let accepted = 0;
  for (const batch of batches) {
    const count = batch.accepted === "all" ? size : batch.accepted.length;
    accepted += count;
    if (batch.accepted === "all") lost += size - (stored.get(batch.number) ?? 0);
    else if (count > 0) lost += count - (await storedOf(session, batch.number * size, batch.accepted));
  }
  const sum = (of: "rows" | "ids") => rows.reduce((total, row) => total + row[of], 0);
  return {
    stored: sum("ids"),
    lost,
    twice: sum("rows") - sum("ids"),
    unanswered: sum("ids") - (accepted - lost),
    projectionFaults: await projectionFaults(session),
  };
}

async function storedOf(session: SqlSession, first: number, indexes: readonly number[]): Promise<number> {
  const [row] = await session.query<{ found: number }>(
    `SELECT count(DISTINCT number) AS found
       FROM (SELECT ${EVENT_NUMBER_SQL} AS number FROM synap.events WHERE source = 'bench') AS e
      WHERE number - $1 IN (SELECT value::bigint FROM jsonb_array_elements_text($2::text::jsonb))`,
    [first, JSON.stringify(indexes)],
  );
  return row?.found ?? 0;
}

/** Rows that every event, or every stream of a kind, must have in the read models. */
async function projectionFaults(session: SqlSession): Promise<string[]> {
  const [row] = await session.query<Record<string, number>>(`
    WITH e AS (
      SELECT count(*) AS events, max("position") AS last,
             count(DISTINCT aggregate_id) FILTER (WHERE type = 'task.created') AS tasks,
             count(DISTINCT aggregate_id) FILTER (WHERE type = 'open_loop.opened') AS loops
        FROM synap.events
    )
    SELECT e.events - (SELECT coalesce(sum(events), 0)::bigint FROM synap_read.compliance_stats) AS "the compliance statistics",
           e.tasks - (SELECT count(*) FROM synap_read.tasks_view) AS "the tasks",
           e.tasks + e.loops - (SELECT count(*) FROM synap_read.open_loops) AS "the open loops",
           (SELECT count(*) FROM synap.checkpoints WHERE "position" < e.last) AS "the checkpoints",
           (SELECT count(*) FROM synap.dead_letters) AS "the dead letters"
      FROM e`);
  return Object.entries(row ?? {}).flatMap(([what, difference]) =>
    difference === 0 ? [] : [`${what}: ${difference}`],
  );
}
