import type { QueueSession } from "./database.ts";

/** Makes `instance` the one stand-in that works on this queue. */
export async function takeOver(session: QueueSession, instance: string): Promise<void> {
  await session.query(
    `INSERT INTO inngest_local.owner (instance) VALUES ($1)
     ON CONFLICT (one) DO UPDATE SET instance = EXCLUDED.instance`,
    [instance],
  );
}

/** Whether another stand-in has taken the queue over. */
export async function isOwner(session: QueueSession, instance: string): Promise<boolean> {
  const rows = await session.query<{ instance: string }>(`SELECT instance FROM inngest_local.owner`);
  return rows[0]?.instance === instance;
}
