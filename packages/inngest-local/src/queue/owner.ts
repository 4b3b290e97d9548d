import type { QueueSession } from "./database.ts";

/**
 * Makes `instance` the owner of this queue.
 *
 * @returns the latest time recorded in the queue, by its own clock; 0 when it is new
 */
export async function takeOver(session: QueueSession, instance: string): Promise<number> {
  const rows = await session.query<{ seen_at: number | null }>(
    `WITH taken AS (
       INSERT INTO inngest_local.owner (instance) VALUES ($1)
       ON CONFLICT (one) DO UPDATE SET instance = EXCLUDED.instance
       RETURNING seen_at
     )
     SELECT greatest(
       (SELECT seen_at FROM taken),
       (SELECT max(received_at) FROM inngest_local.events),
       (SELECT max(created_at) FROM inngest_local.runs)
     )::float8 AS seen_at`,
    [instance],
  );
  return rows[0]?.seen_at ?? 0;
}

/** Records the current time of the queue's clock. @returns false when another instance has taken over the queue */
export async function recordTime(session: QueueSession, instance: string, now: number): Promise<boolean> {
  const rows = await session.query(
    `UPDATE inngest_local.owner SET seen_at = $2::bigint WHERE instance = $1 RETURNING 1 AS one`,
    [instance, now],
  );
  return rows.length > 0;
}
