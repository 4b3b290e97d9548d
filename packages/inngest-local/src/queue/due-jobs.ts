import type { QueueSession } from "./database.ts";
import type { RunParent } from "./runs.ts";

/** A call or a timer whose time has come, with what is needed to carry it out. */
export interface DueJob {
  readonly id: number;
  readonly runId: string;
  /** Empty for a timer. */
  readonly functionId: string;
  /** `step`, or the hash of the one step to run. */
  readonly stepId: string;
  readonly flowKey: string | null;
  readonly attempt: number;
  readonly eventIds: readonly string[];
  readonly eventName: string;
  readonly planSteps: boolean;
  readonly requestVersion: number;
  readonly quiet: boolean;
  readonly parent: RunParent | undefined;
  readonly steps: readonly FinishedStep[];
}

/** A step's memo: JSON text, as the SDK wants it back. */
export interface FinishedStep {
  readonly id: string;
  readonly memo: string;
}

/** A function that may take `slots` more calls, but none with a flow key in `blocked`. */
export interface FreeSlots {
  readonly id: string;
  readonly slots: number;
  readonly blocked: readonly string[];
}

interface DueJobRow {
  id: number;
  run_id: string;
  function_id: string;
  step_id: string;
  flow_key: string | null;
  attempt: number;
  event_id: string;
  event_name: string;
  batch: string | null;
  plan_steps: boolean;
  request_version: number;
  quiet: boolean;
  parent_run: string | null;
  parent_step: string | null;
  steps: FinishedStep[] | null;
}

/**
 * Reads the jobs that are due, oldest first, within each function's free slots. Nothing is marked in the database:
 * the one process that owns the queue remembers what it has begun, and after a crash everything unfinished is due again.
 *
 * @param begun ids of the jobs that this process is working on
 */
export async function readDueJobs(
  session: QueueSession,
  request: {
    instance: string;
    free: readonly FreeSlots[];
    begun: Iterable<number>;
    limit: number;
    now: number;
  },
): Promise<DueJob[]> {
  const rows = await session.query<DueJobRow>(
    `SELECT j.id::float8 AS id, j.run_id, j.function_id, j.step_id, j.flow_key, j.attempt,
            r.event_id, r.event_name, r.plan_steps, r.request_version, r.quiet, r.parent_run, r.parent_step,
            CASE WHEN r.batched THEN (
              SELECT string_agg(e.event_id, ',' ORDER BY e.place)
              FROM inngest_local.run_events e WHERE e.run_id = r.id
            ) END AS batch,
            (SELECT jsonb_agg(jsonb_build_object('id', s.id, 'memo', s.memo) ORDER BY s.place)
             FROM inngest_local.steps s WHERE s.run_id = r.id AND s.status = 'done') AS steps
     FROM jsonb_to_recordset($1::text::jsonb) AS f(id text, slots integer, blocked jsonb)
     CROSS JOIN LATERAL (
       SELECT * FROM inngest_local.jobs
       WHERE function_id = f.id
         AND due_at <= $2::bigint
         AND id <> ALL (string_to_array($3::text, ',')::bigint[])
         AND (flow_key IS NULL OR NOT jsonb_exists(f.blocked, flow_key))
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
      [...request.begun].join(","),
      request.instance,
      request.limit,
    ],
  );
  return rows.map((row) => ({
    id: row.id,
    runId: row.run_id,
    functionId: row.function_id,
    stepId: row.step_id,
    flowKey: row.flow_key,
    attempt: row.attempt,
    eventIds: row.batch === null ? [row.event_id] : row.batch.split(","),
    eventName: row.event_name,
    planSteps: row.plan_steps,
    requestVersion: row.request_version,
    quiet: row.quiet,
    parent:
      row.parent_run && row.parent_step ? { runId: row.parent_run, stepId: row.parent_step } : undefined,
    steps: row.steps ?? [],
  }));
}

/** When the next job after `now` is due, or undefined when none waits. */
export async function readNextDueTime(session: QueueSession, now: number): Promise<number | undefined> {
  const rows = await session.query<{ due_at: number | null }>(
    `SELECT min(due_at)::float8 AS due_at FROM inngest_local.jobs WHERE due_at > $1::bigint`,
    [now],
  );
  return rows[0]?.due_at ?? undefined;
}

/** Puts a failed call back, to be made again at `dueAt` as attempt number `attempt` (0-based). */
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
