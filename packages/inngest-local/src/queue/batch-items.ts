import type { QueueSession } from "./database.ts";

/** An event that waits for its batch. */
export interface BatchItem {
  readonly functionId: string;
  readonly batchKey: string;
  readonly eventId: string;
  readonly bytes: number;
  readonly arrivedAt: number;
}

/** Everything that waits for a batch, oldest first: read once at start. */
export async function readBatchItems(session: QueueSession): Promise<BatchItem[]> {
  const rows = await session.query<{
    function_id: string;
    batch_key: string;
    event_id: string;
    bytes: number;
    arrived_at: number;
  }>(
    `SELECT function_id, batch_key, event_id, bytes, arrived_at::float8 AS arrived_at
     FROM inngest_local.batch_items
     ORDER BY arrived_at, event_id`,
  );
  return rows.map((row) => ({
    functionId: row.function_id,
    batchKey: row.batch_key,
    eventId: row.event_id,
    bytes: row.bytes,
    arrivedAt: row.arrived_at,
  }));
}

/** Turns waiting events into a run, in one statement. */
export async function startBatchRun(
  session: QueueSession,
  run: { id: string; functionId: string; eventName: string; flowKey: string | undefined; quiet: boolean },
  eventIds: readonly string[],
  now: number,
): Promise<void> {
  await session.query(
    `WITH taken AS (
       DELETE FROM inngest_local.batch_items
       WHERE function_id = $2::text AND event_id = ANY (string_to_array($6::text, ','))
     ), events AS (
       INSERT INTO inngest_local.run_events (run_id, place, event_id)
       SELECT $1::text, e.place, e.event_id
       FROM unnest(string_to_array($6::text, ',')) WITH ORDINALITY AS e(event_id, place)
     ), run AS (
       INSERT INTO inngest_local.runs (id, function_id, event_id, event_name, flow_key, quiet, batched, created_at)
       VALUES ($1::text, $2::text, split_part($6::text, ',', 1), $3::text, $5::text, $4::boolean, true, $7::bigint)
     )
     INSERT INTO inngest_local.jobs (run_id, function_id, step_id, flow_key, due_at)
     VALUES ($1::text, $2::text, 'step', $5::text, $7::bigint)`,
    [run.id, run.functionId, run.eventName, run.quiet, run.flowKey ?? null, eventIds.join(","), now],
  );
}
