import type { QueueSession } from "./database.ts";

/** A finished step. */
export interface DoneStep {
  readonly id: string;
  readonly op: string;
  readonly name: string;
  /** JSON text in the form that the SDK expects. */
  readonly memo: string;
}

/** A step that a later call or timer finishes. */
export interface PendingStep {
  readonly id: string;
  readonly op: string;
  readonly name: string;
  /** Part of a race: once it is done the function is called, without waiting for the other steps of its group. */
  readonly race: boolean;
}

/**
 * Saves finished steps. A step that already has a memo keeps it.
 *
 * @returns true if one of them belongs to a race
 */
export async function saveDoneSteps(
  session: QueueSession,
  runId: string,
  steps: readonly DoneStep[],
  now: number,
): Promise<boolean> {
  if (steps.length === 0) return false;
  const rows = await session.query<{ race: boolean }>(
    `INSERT INTO inngest_local.steps (run_id, id, op, name, status, memo, finish_order, created_at, ended_at)
     SELECT $1::text, s.id, s.op, s.name, 'done', s.memo, nextval('inngest_local.step_order'), $3::bigint, $3::bigint
     FROM jsonb_to_recordset($2::text::jsonb) AS s(id text, op text, name text, memo text)
     ON CONFLICT (run_id, id) DO UPDATE
       SET status = 'done', op = EXCLUDED.op, memo = EXCLUDED.memo, finish_order = EXCLUDED.finish_order, ended_at = EXCLUDED.ended_at
       WHERE steps.status = 'pending'
     RETURNING race`,
    [runId, JSON.stringify(steps), now],
  );
  return rows.some(({ race }) => race);
}

/** Saves the steps that a function has planned. @returns the ids of those that are new */
export async function savePendingSteps(
  transaction: QueueSession,
  runId: string,
  steps: readonly PendingStep[],
  now: number,
): Promise<Set<string>> {
  if (steps.length === 0) return new Set();
  const rows = await transaction.query<{ id: string }>(
    `INSERT INTO inngest_local.steps (run_id, id, op, name, race, status, created_at)
     SELECT $1::text, s.id, s.op, s.name, s.race, 'pending', $3::bigint
     FROM jsonb_to_recordset($2::text::jsonb) AS s(id text, op text, name text, race boolean)
     ON CONFLICT (run_id, id) DO NOTHING
     RETURNING id`,
    [runId, JSON.stringify(steps), now],
  );
  return new Set(rows.map((row) => row.id));
}

/**
 * Saves the memo of a pending step and deletes its timer.
 *
 * @returns undefined when the step is not pending
 */
export async function finishPendingStep(
  transaction: QueueSession,
  runId: string,
  stepId: string,
  memo: string,
  now: number,
): Promise<{ race: boolean } | undefined> {
  const rows = await transaction.query<{ race: boolean }>(
    `WITH timer AS (
       DELETE FROM inngest_local.jobs
       WHERE run_id = $1::text AND step_id = $2::text
     )
     UPDATE inngest_local.steps
     SET status = 'done', memo = $3::text, finish_order = nextval('inngest_local.step_order'), ended_at = $4::bigint
     WHERE run_id = $1::text AND id = $2::text AND status = 'pending'
     RETURNING race`,
    [runId, stepId, memo, now],
  );
  return rows[0];
}

/** Counts the pending steps of a run. */
export async function countPendingSteps(transaction: QueueSession, runId: string): Promise<number> {
  const rows = await transaction.query<{ pending: number }>(
    `SELECT count(*)::integer AS pending FROM inngest_local.steps WHERE run_id = $1::text AND status = 'pending'`,
    [runId],
  );
  return rows[0]?.pending ?? 0;
}

/** A job to queue: a call (`functionId` set) or a timer (`functionId` empty). */
export interface NewJob {
  readonly functionId: string;
  readonly stepId: string;
  readonly dueAt: number;
}

/** Queues calls and timers of a run. */
export async function saveJobs(
  transaction: QueueSession,
  runId: string,
  jobs: readonly NewJob[],
): Promise<void> {
  if (jobs.length === 0) return;
  await transaction.query(
    `INSERT INTO inngest_local.jobs (run_id, function_id, step_id, due_at)
     SELECT $1::text, j."functionId", j."stepId", j."dueAt"
     FROM jsonb_to_recordset($2::text::jsonb) AS j("functionId" text, "stepId" text, "dueAt" bigint)`,
    [runId, JSON.stringify(jobs)],
  );
}

/**
 * Queues the call that passes a new memo to the function, unless such a call is already queued.
 *
 * @param inFlight ids of the jobs in flight: they were sent without the new memo, so they don't count
 */
export async function saveContinuation(
  transaction: QueueSession,
  runId: string,
  inFlight: Iterable<number>,
  dueAt: number,
): Promise<void> {
  await transaction.query(
    `INSERT INTO inngest_local.jobs (run_id, function_id, step_id, due_at)
     SELECT r.id, r.function_id, 'step', $2::bigint
     FROM inngest_local.runs r
     WHERE r.id = $1::text
       AND NOT EXISTS (
         SELECT 1 FROM inngest_local.jobs j
         WHERE j.run_id = r.id AND j.step_id = 'step' AND j.id <> ALL (string_to_array($3::text, ',')::bigint[])
       )`,
    [runId, dueAt, [...inFlight].join(",")],
  );
}
