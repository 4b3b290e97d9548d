import type { QueueSession } from "./database.ts";

/** Number and size of the events of one name that matched no function when they were accepted. */
export interface UnmatchedEvents {
  readonly name: string;
  readonly events: number;
  readonly bytes: number;
}

/** Marks stored events as unmatched, which keeps them until a matching function is registered. */
export async function saveUnmatched(
  session: QueueSession,
  events: readonly { readonly id: string; readonly name: string; readonly bytes: number }[],
): Promise<void> {
  await session.query(
    `INSERT INTO inngest_local.unmatched_events (event_id, event_name, bytes)
     SELECT e.id, e.name, e.bytes
     FROM jsonb_to_recordset($1::text::jsonb) AS e(id text, name text, bytes integer)
     ON CONFLICT (event_id) DO NOTHING`,
    [JSON.stringify(events)],
  );
}

/** Counts unmatched events by name, most frequent first. */
export async function countUnmatched(session: QueueSession): Promise<UnmatchedEvents[]> {
  return session.query<{ name: string; events: number; bytes: number }>(
    `SELECT event_name AS name, count(*)::integer AS events, sum(bytes)::float8 AS bytes
     FROM inngest_local.unmatched_events
     GROUP BY event_name
     ORDER BY count(*) DESC, event_name`,
  );
}

/** Reads the oldest unmatched events of a name. */
export async function readUnmatched(
  session: QueueSession,
  name: string,
  limit: number,
): Promise<{ id: string; body: string }[]> {
  return session.query<{ id: string; body: string }>(
    `SELECT e.id, e.body
     FROM inngest_local.unmatched_events u JOIN inngest_local.events e ON e.id = u.event_id
     WHERE u.event_name = $1::text
     ORDER BY u.event_id
     LIMIT $2::integer`,
    [name, limit],
  );
}

/** Deletes unmatched events, so that the same transaction can insert them as new ones. */
export async function removeUnmatched(transaction: QueueSession, ids: readonly string[]): Promise<void> {
  const parameters = [ids.join(",")];
  const wanted = `ANY (string_to_array($1::text, ','))`;
  await transaction.query(
    `DELETE FROM inngest_local.unmatched_events WHERE event_id = ${wanted}`,
    parameters,
  );
  await transaction.query(`DELETE FROM inngest_local.events WHERE id = ${wanted}`, parameters);
}
