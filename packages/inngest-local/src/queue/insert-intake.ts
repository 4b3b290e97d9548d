import type { QueueSession } from "./database.ts";

/** A row of `events`: `id` is the internal ULID, `body` the JSON text that functions receive. */
interface NewEvent {
  readonly id: string;
  readonly body: string;
}

/** A run to start, unless its key was seen before. */
export interface NewRun {
  readonly id: string;
  readonly functionId: string;
  readonly eventId: string;
  readonly eventName: string;
  /** Deduplication key: starts this function once until it expires. */
  readonly key: string;
  readonly expiresAt: number;
  /** True if the run emits no lifecycle events. */
  readonly quiet: boolean;
}

/** Events and the runs they start, to be inserted together: at most `MAX_EVENTS_A_STATEMENT` events at a time. */
export interface Intake {
  readonly events: readonly NewEvent[];
  readonly runs: readonly NewRun[];
}

/** Keeps a statement's parameters well below PostgreSQL's 65,535 and its text short. */
export const MAX_EVENTS_A_STATEMENT = 200;

/**
 * Inserts events with their runs and first calls, in one statement. Skips an event whose internal id exists and a run
 * whose key is taken.
 *
 * @returns the runs inserted, with the job of their first call
 */
export async function insertIntake(
  session: QueueSession,
  intake: Intake,
  now: number,
): Promise<{ run: NewRun; jobId: number }[]> {
  const rows = await session.query<{ id: string; job_id: number }>(insertStatement(intake.events.length), [
    now,
    JSON.stringify(withoutRepeatedKeys(intake.runs)),
    ...intake.events.flatMap((event) => [event.id, event.body]),
  ]);
  const jobs = new Map(rows.map(({ id, job_id }) => [id, job_id]));
  return intake.runs.flatMap((run) => {
    const jobId = jobs.get(run.id);
    return jobId === undefined ? [] : [{ run, jobId }];
  });
}

/** Keeps the first of the runs that share a key, because one statement may not touch a key twice. */
function withoutRepeatedKeys(runs: readonly NewRun[]): NewRun[] {
  const taken = new Set<string>();
  return runs.filter((run) => {
    const key = `${run.functionId} ${run.key}`;
    if (taken.has(key)) return false;
    taken.add(key);
    return true;
  });
}

function insertStatement(events: number): string {
  const rows = Array.from(
    { length: events },
    (_, index) => `($${3 + index * 2}, $${4 + index * 2}, $1::bigint)`,
  );
  return `
    WITH stored AS (
      INSERT INTO inngest_local.events (id, body, received_at)
      VALUES ${rows.join(", ")}
      ON CONFLICT (id) DO NOTHING
      RETURNING id
    ), candidate AS (
      SELECT c.*
      FROM jsonb_to_recordset($2::text::jsonb) AS c(
        id text, "functionId" text, "eventId" text, "eventName" text, key text, "expiresAt" bigint, quiet boolean)
      JOIN stored ON stored.id = c."eventId"
    ), taken AS (
      INSERT INTO inngest_local.run_keys (function_id, key, run_id, expires_at)
      SELECT "functionId", key, id, "expiresAt" FROM candidate
      ON CONFLICT (function_id, key) DO UPDATE
        SET run_id = EXCLUDED.run_id, expires_at = EXCLUDED.expires_at
        WHERE run_keys.expires_at <= $1::bigint
      RETURNING run_id
    ), fresh AS (
      SELECT c.* FROM candidate c JOIN taken t ON t.run_id = c.id
    ), started AS (
      INSERT INTO inngest_local.runs (id, function_id, event_id, event_name, quiet, created_at)
      SELECT id, "functionId", "eventId", "eventName", quiet, $1::bigint FROM fresh
    ), queued AS (
      INSERT INTO inngest_local.jobs (run_id, function_id, step_id, due_at)
      SELECT id, "functionId", 'step', $1::bigint FROM fresh
      RETURNING id, run_id
    )
    SELECT run_id AS id, id::float8 AS job_id FROM queued`;
}
