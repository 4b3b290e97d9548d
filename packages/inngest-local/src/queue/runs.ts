import type { QueueSession } from "./database.ts";

/**
 * Locks a run until the transaction ends, so that concurrent results are processed one after the other.
 *
 * @returns false when the run is not open
 */
export async function lockRun(transaction: QueueSession, runId: string): Promise<boolean> {
  const rows = await transaction.query(
    `SELECT 1 AS one FROM inngest_local.runs WHERE id = $1::text AND status = 'open' FOR UPDATE`,
    [runId],
  );
  return rows.length > 0;
}

/** The end of a run: its output or its error, as JSON text. */
export type RunEnd =
  | { readonly status: "completed"; readonly output: string }
  | { readonly status: "failed"; readonly error: string };

/**
 * Ends an open run and deletes its remaining jobs, in one statement.
 *
 * @returns false when the run was not open; nothing is changed then
 */
export async function endRun(
  session: QueueSession,
  run: { id: string; attempt: number; startedAt: number },
  end: RunEnd,
  now: number,
): Promise<boolean> {
  const rows = await session.query(
    `WITH jobs AS (
       DELETE FROM inngest_local.jobs WHERE run_id = $1::text
     )
     UPDATE inngest_local.runs
     SET status = $2::text, output = $3::text, error = $4::text, attempt = $5::integer,
         started_at = COALESCE(started_at, $6::bigint), ended_at = $7::bigint
     WHERE id = $1::text AND status = 'open'
     RETURNING 1 AS one`,
    [
      run.id,
      end.status,
      end.status === "completed" ? end.output : null,
      end.status === "failed" ? end.error : null,
      run.attempt,
      run.startedAt,
      now,
    ],
  );
  return rows.length > 0;
}

/**
 * Saves the parameters of the run's next call and deletes the job that was answered.
 *
 * @param answeredJob undefined when that call is to be repeated
 */
export async function updateRunProgress(
  transaction: QueueSession,
  run: { id: string; attempt: number; planSteps: boolean; startedAt: number },
  answeredJob: number | undefined,
): Promise<void> {
  await transaction.query(
    `WITH answered AS (
       DELETE FROM inngest_local.jobs WHERE id = $5::bigint
     )
     UPDATE inngest_local.runs
     SET request_version = 2, plan_steps = $2::boolean, attempt = $3::integer,
         started_at = COALESCE(started_at, $4::bigint), error = NULL
     WHERE id = $1::text`,
    [run.id, run.planSteps, run.attempt, run.startedAt, answeredJob ?? null],
  );
}

/** Checks that a run exists and is open. */
export async function isRunOpen(session: QueueSession, runId: string): Promise<boolean> {
  const rows = await session.query(
    `SELECT 1 AS one FROM inngest_local.runs WHERE id = $1::text AND status = 'open'`,
    [runId],
  );
  return rows.length > 0;
}

/**
 * Resets an open run to its start, to be called at `dueAt`: deletes its steps and its other jobs. A run that is not open is
 * left unchanged.
 */
export async function restartRun(
  session: QueueSession,
  job: { id: number; runId: string },
  next: { dueAt: number; error: string; startedAt: number },
): Promise<void> {
  await session.query(
    `WITH run AS (
       UPDATE inngest_local.runs
       SET attempt = 0, restarts = restarts + 1, plan_steps = false, request_version = -1,
           error = $4::text, started_at = COALESCE(started_at, $5::bigint)
       WHERE id = $2::text AND status = 'open'
       RETURNING id
     ), steps AS (
       DELETE FROM inngest_local.steps WHERE run_id IN (SELECT id FROM run)
     ), others AS (
       DELETE FROM inngest_local.jobs WHERE run_id IN (SELECT id FROM run) AND id <> $1::bigint
     )
     UPDATE inngest_local.jobs SET attempt = 0, step_id = 'step', due_at = $3::bigint
     WHERE id = $1::bigint AND run_id IN (SELECT id FROM run)`,
    [job.id, job.runId, next.dueAt, next.error, next.startedAt],
  );
}

/**
 * Counts failing failure handlers: open runs that were restarted because all their attempts failed, or that pause with
 * `step.sleep` before that.
 */
export async function countFailingHandlers(session: QueueSession): Promise<number> {
  const rows = await session.query<{ runs: number }>(
    `SELECT count(*)::integer AS runs FROM inngest_local.runs
     WHERE status = 'open' AND (
       restarts > 0
       OR event_name = 'inngest/function.failed' AND EXISTS (
         SELECT 1 FROM inngest_local.steps WHERE steps.run_id = runs.id AND steps.op = 'Sleep'))`,
  );
  return rows[0]?.runs ?? 0;
}

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
