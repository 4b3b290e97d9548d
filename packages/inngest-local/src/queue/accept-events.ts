import type { QueueSession } from "./database.ts";

/** An event as it is kept: `id` is the internal ULID, `body` the JSON text that functions receive. */
export interface NewEvent {
  readonly id: string;
  readonly body: string;
}

/** A run to be started, unless one of its keys was seen before. */
export interface NewRun {
  readonly id: string;
  readonly functionId: string;
  readonly eventId: string;
  readonly eventName: string;
  /** Each key starts this function once until it expires. */
  readonly keys: readonly { readonly key: string; readonly expiresAt: number }[];
  /** The values of the keyed concurrency limits; undefined when there are none. */
  readonly flowKey: string | undefined;
  /** A run that itself emits no lifecycle events. */
  readonly quiet: boolean;
  readonly parent?: { readonly runId: string; readonly stepId: string };
}

/** An event put aside for a batch. */
export interface NewBatchItem {
  readonly functionId: string;
  readonly eventId: string;
  readonly batchKey: string;
  readonly bytes: number;
  /** Keeps the same sending of the same event out of a second batch. */
  readonly key: string;
  readonly expiresAt: number;
}

/** What an intake writes: at most `MAX_EVENTS_A_STATEMENT` events at a time. */
export interface Intake {
  readonly events: readonly NewEvent[];
  readonly runs: readonly NewRun[];
  readonly batchItems: readonly NewBatchItem[];
}

/** Keeps a statement's parameters well below PostgreSQL's 65,535 and its text short. */
export const MAX_EVENTS_A_STATEMENT = 200;

/**
 * Stores events together with the runs, calls and batch items that follow from them, in one statement. An event whose
 * internal id is known already, and a run one of whose keys is taken, are left out.
 *
 * @returns the runs started, with the job of their first call, and the batch items added (`functionId eventId`)
 */
export async function acceptEvents(
  session: QueueSession,
  intake: Intake,
  now: number,
): Promise<{ started: { run: NewRun; jobId: number }[]; batched: Set<string> }> {
  const rows = await session.query<{ id: string; job_id: number | null }>(
    acceptStatement(intake.events.length),
    [
      now,
      JSON.stringify(withoutRepeatedKeys(intake.runs)),
      JSON.stringify(intake.batchItems),
      ...intake.events.flatMap((event) => [event.id, event.body]),
    ],
  );
  const jobs = new Map<string, number>();
  for (const { id, job_id } of rows) if (job_id !== null) jobs.set(id, job_id);
  return {
    started: intake.runs.flatMap((run) => {
      const jobId = jobs.get(run.id);
      return jobId === undefined ? [] : [{ run, jobId }];
    }),
    batched: new Set(rows.flatMap(({ id, job_id }) => (job_id === null ? [id] : []))),
  };
}

/** One statement may not touch the same key twice, so of the runs that share a key only the first is proposed. */
function withoutRepeatedKeys(runs: readonly NewRun[]): NewRun[] {
  const taken = new Set<string>();
  return runs.filter((run) => {
    const keys = run.keys.map(({ key }) => `${run.functionId} ${key}`);
    if (keys.some((key) => taken.has(key))) return false;
    for (const key of keys) taken.add(key);
    return true;
  });
}

function acceptStatement(events: number): string {
  const rows = Array.from(
    { length: events },
    (_, index) => `($${4 + index * 2}, $${5 + index * 2}, $1::bigint)`,
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
        id text, "functionId" text, "eventId" text, "eventName" text, keys jsonb, "flowKey" text, quiet boolean, parent jsonb)
      JOIN stored ON stored.id = c."eventId"
    ), taken AS (
      INSERT INTO inngest_local.run_keys (function_id, key, run_id, expires_at)
      SELECT c."functionId", k.key, c.id, k."expiresAt"
      FROM candidate c, jsonb_to_recordset(c.keys) AS k(key text, "expiresAt" bigint)
      ON CONFLICT (function_id, key) DO UPDATE
        SET run_id = EXCLUDED.run_id, expires_at = EXCLUDED.expires_at
        WHERE run_keys.expires_at <= $1::bigint
      RETURNING run_id
    ), fresh AS (
      SELECT c.*
      FROM candidate c
      LEFT JOIN (SELECT run_id, count(*) AS keys FROM taken GROUP BY run_id) t ON t.run_id = c.id
      WHERE COALESCE(t.keys, 0) = jsonb_array_length(c.keys)
    ), started AS (
      INSERT INTO inngest_local.runs
        (id, function_id, event_id, event_name, flow_key, quiet, batched, parent_run, parent_step, created_at)
      SELECT id, "functionId", "eventId", "eventName", "flowKey", quiet, false,
             parent->>'runId', parent->>'stepId', $1::bigint
      FROM fresh
    ), queued AS (
      INSERT INTO inngest_local.jobs (run_id, function_id, step_id, flow_key, due_at)
      SELECT id, "functionId", 'step', "flowKey", $1::bigint FROM fresh
      RETURNING id, run_id
    ), item AS (
      SELECT b.*
      FROM jsonb_to_recordset($3::text::jsonb) AS b(
        "functionId" text, "eventId" text, "batchKey" text, bytes integer, key text, "expiresAt" bigint)
      JOIN stored ON stored.id = b."eventId"
    ), item_key AS (
      INSERT INTO inngest_local.run_keys (function_id, key, run_id, expires_at)
      SELECT "functionId", key, '', "expiresAt" FROM item
      ON CONFLICT (function_id, key) DO NOTHING
      RETURNING function_id, key
    ), batched AS (
      INSERT INTO inngest_local.batch_items (function_id, event_id, batch_key, bytes, arrived_at)
      SELECT i."functionId", i."eventId", i."batchKey", i.bytes, $1::bigint
      FROM item i JOIN item_key k ON k.function_id = i."functionId" AND k.key = i.key
      RETURNING function_id || ' ' || event_id AS id
    )
    SELECT run_id AS id, id::float8 AS job_id FROM queued
    UNION ALL
    SELECT id, NULL FROM batched`;
}
