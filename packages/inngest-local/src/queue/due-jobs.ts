import type { QueueSession } from "./database.ts";

/** A due call or timer, with everything needed to execute it. */
export interface DueJob {
  readonly id: number;
  readonly runId: string;
  /** Empty for a timer. */
  readonly functionId: string;
  /** `step`, or the hash of the id of the single step to run. */
  readonly stepId: string;
  readonly attempt: number;
  readonly eventId: string;
  readonly eventName: string;
  readonly planSteps: boolean;
  readonly requestVersion: number;
  readonly quiet: boolean;
  readonly steps: readonly FinishedStep[];
}

/** A finished step and its memo: JSON text in the form that the SDK expects. */
interface FinishedStep {
  readonly id: string;
  readonly memo: string;
}

/** Number of further calls that a function's concurrency limit allows. */
export interface FreeSlots {
  readonly id: string;
  readonly slots: number;
}

interface DueJobRow {
  id: number;
  run_id: string;
  function_id: string;
  step_id: string;
  attempt: number;
  event_id: string;
  event_name: string;
  plan_steps: boolean;
  request_version: number;
  quiet: boolean;
  steps: FinishedStep[] | null;
}

/**
 * Reads the jobs that are due, oldest first, within each function's free slots. Nothing is marked in the database: the
 * single owner of the queue tracks its jobs in memory, so after a crash every unfinished job is due again.
 *
 * @param request.inFlight ids of the jobs that this process is working on
 */
export async function readDueJobs(
  session: QueueSession,
  request: {
    instance: string;
    free: readonly FreeSlots[];
    inFlight: Iterable<number>;
    limit: number;
    now: number;
  },
): Promise<DueJob[]> {
  const rows = await session.query<DueJobRow>(
    `SELECT j.id::float8 AS id, j.run_id, j.function_id, j.step_id, j.attempt,
            r.event_id, r.event_name, r.plan_steps, r.request_version, r.quiet,
            (SELECT jsonb_agg(jsonb_build_object('id', s.id, 'memo', s.memo) ORDER BY s.finish_order)
             FROM inngest_local.steps s WHERE s.run_id = r.id AND s.status = 'done') AS steps
     FROM jsonb_to_recordset($1::text::jsonb) AS f(id text, slots integer)
     CROSS JOIN LATERAL (
       SELECT * FROM inngest_local.jobs
       WHERE function_id = f.id
         AND due_at <= $2::bigint
         AND id <> ALL (string_to_array($3::text, ',')::bigint[])
       ORDER BY due_at, id
       LIMIT f.slots
     ) j
     JOIN inngest_local.runs r ON r.id = j.run_id
     WHERE (SELECT instance FROM inngest_local.owner) = $4::text
     ORDER BY j.due_at, j.id
     LIMIT $5::integer`,
    [
      JSON.stringify(request.free),
      request.now,
      [...request.inFlight].join(","),
      request.instance,
      request.limit,
    ],
  );
  return rows.map((row) => ({
    id: row.id,
    runId: row.run_id,
    functionId: row.function_id,
    stepId: row.step_id,
    attempt: row.attempt,
    eventId: row.event_id,
    eventName: row.event_name,
    planSteps: row.plan_steps,
    requestVersion: row.request_version,
    quiet: row.quiet,
    steps: row.steps ?? [],
  }));
}

/** Reads the due time of the next job after `now`; undefined when there is none. */
export async function readNextDueTime(session: QueueSession, now: number): Promise<number | undefined> {
  const rows = await session.query<{ due_at: number | null }>(
    `SELECT min(due_at)::float8 AS due_at FROM inngest_local.jobs WHERE due_at > $1::bigint`,
    [now],
  );
  return rows[0]?.due_at ?? undefined;
}

/** Reschedules a failed call for `dueAt` as attempt number `attempt` (0-based). */
export async function postponeJob(
  session: QueueSession,
  job: { id: number; runId: string },
  next: { attempt: number; dueAt: number; error: string; startedAt: number },
): Promise<void> {
  await session.query(
    `WITH later AS (
       UPDATE inngest_local.jobs SET attempt = $2::integer, due_at = $3::bigint WHERE id = $1::bigint
     )
     UPDATE inngest_local.runs
     SET attempt = $2::integer, error = $4::text, started_at = COALESCE(started_at, $5::bigint)
     WHERE id = $6::text AND status = 'open'`,
    [job.id, next.attempt, next.dueAt, next.error, next.startedAt, job.runId],
  );
}

/** Removes a job that is done with. */
export async function deleteJob(session: QueueSession, id: number): Promise<void> {
  await session.query(`DELETE FROM inngest_local.jobs WHERE id = $1::bigint`, [id]);
}
