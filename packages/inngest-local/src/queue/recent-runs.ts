import type { QueueSession } from "./database.ts";

/** Summary of a run for the page. Times in milliseconds since 1970. */
export interface RunSummary {
  readonly id: string;
  readonly functionId: string;
  readonly eventName: string;
  readonly status: "open" | "completed" | "failed";
  readonly attempt: number;
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** JSON text, truncated. */
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly steps: readonly { readonly name: string; readonly op: string; readonly status: string }[];
}

/** Reads the newest runs, newest first. */
export async function readRecentRuns(session: QueueSession, limit: number): Promise<RunSummary[]> {
  const rows = await session.query<{
    id: string;
    function_id: string;
    event_name: string;
    status: RunSummary["status"];
    attempt: number;
    created_at: number;
    started_at: number | null;
    ended_at: number | null;
    output: string | null;
    error: string | null;
    steps: RunSummary["steps"] | null;
  }>(
    `SELECT r.id, r.function_id, r.event_name, r.status, r.attempt, r.created_at::float8 AS created_at,
            r.started_at::float8 AS started_at, r.ended_at::float8 AS ended_at,
            left(r.output, 2000) AS output, left(r.error, 4000) AS error,
            (SELECT jsonb_agg(jsonb_build_object('name', s.name, 'op', s.op, 'status', s.status)
                              ORDER BY s.finish_order NULLS LAST, s.created_at)
             FROM inngest_local.steps s WHERE s.run_id = r.id) AS steps
     FROM inngest_local.runs r
     ORDER BY r.created_at DESC, r.id DESC
     LIMIT $1::integer`,
    [limit],
  );
  return rows.map((row) => ({
    id: row.id,
    functionId: row.function_id,
    eventName: row.event_name,
    status: row.status,
    attempt: row.attempt,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    output: row.output ?? undefined,
    error: row.error ?? undefined,
    steps: row.steps ?? [],
  }));
}

/** Counts queued calls and timers per function, timers under the empty name. */
export async function countQueued(session: QueueSession): Promise<Map<string, number>> {
  const rows = await session.query<{ function_id: string; jobs: number }>(
    `SELECT function_id, count(*)::integer AS jobs FROM inngest_local.jobs GROUP BY function_id`,
  );
  return new Map(rows.map((row) => [row.function_id, row.jobs]));
}
