import type { QueueSession } from "./database.ts";

/** Events that no function listened to when they came in, by name. */
export interface UnheardEvents {
  readonly name: string;
  readonly events: number;
  readonly bytes: number;
}

/** Marks stored events as ones that no function listens to: they stay until one does. */
export async function keepUnheard(
  session: QueueSession,
  events: readonly { readonly id: string; readonly name: string; readonly bytes: number }[],
): Promise<void> {
  await session.query(
    `INSERT INTO inngest_local.unheard_events (event_id, event_name, bytes)
     SELECT e.id, e.name, e.bytes
     FROM jsonb_to_recordset($1::text::jsonb) AS e(id text, name text, bytes integer)
     ON CONFLICT (event_id) DO NOTHING`,
    [JSON.stringify(events)],
  );
}

/** The number of events kept under each name, most first. */
export async function countUnheard(session: QueueSession): Promise<UnheardEvents[]> {
  return session.query<{ name: string; events: number; bytes: number }>(
    `SELECT event_name AS name, count(*)::integer AS events, sum(bytes)::float8 AS bytes
     FROM inngest_local.unheard_events
     GROUP BY event_name
     ORDER BY count(*) DESC, event_name`,
  );
}

/** The oldest events that are kept under a name. */
export async function readUnheard(
  session: QueueSession,
  name: string,
  limit: number,
): Promise<{ id: string; body: string }[]> {
  return session.query<{ id: string; body: string }>(
    `SELECT e.id, e.body
     FROM inngest_local.unheard_events u JOIN inngest_local.events e ON e.id = u.event_id
     WHERE u.event_name = $1::text
     ORDER BY u.event_id
     LIMIT $2::integer`,
    [name, limit],
  );
}

/** Removes kept events, so that they can be taken in as new ones in the same transaction. */
export async function removeUnheard(transaction: QueueSession, ids: readonly string[]): Promise<void> {
  const parameters = [ids.join(",")];
  const wanted = `ANY (string_to_array($1::text, ','))`;
  await transaction.query(`DELETE FROM inngest_local.unheard_events WHERE event_id = ${wanted}`, parameters);
  await transaction.query(`DELETE FROM inngest_local.events WHERE id = ${wanted}`, parameters);
}
