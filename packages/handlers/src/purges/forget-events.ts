import type { Database, SqlSession } from "@synap/database";
import type { IEventHandler, PurgedEvent } from "../handler/event-handler.ts";

/** Purged events of one call of a handler. */
const BATCH = 1_000;

const PURGES = `
SELECT id, erased_subject AS subject FROM synap.purges
 WHERE removed_at IS NOT NULL AND NOT keeps_copies AND NOT $1 = ANY (forgotten_by)
 ORDER BY begun_at`;

const CLAIM = `
SELECT FROM synap.purges
 WHERE id = $1 AND NOT $2 = ANY (forgotten_by)
   FOR UPDATE SKIP LOCKED`;

const EVENTS = `
SELECT "position", stream_version AS "streamVersion", aggregate_type AS "aggregateType", aggregate_id AS "aggregateId"
  FROM synap.purged_events
 WHERE purge = $1 AND "position" > $2
 ORDER BY "position"
 LIMIT ${BATCH}`;

const FORGOTTEN = "UPDATE synap.purges SET forgotten_by = forgotten_by || $2::text WHERE id = $1";

/**
 * Calls `forget` of a handler for each purge, and `eraseSubject` for each erasure, for which it was not called, each in a transaction of its own. It is called again where the
 * transaction does not commit.
 */
export async function forgetEvents(
  database: Pick<Database, "query" | "transaction">,
  { name, forget, eraseSubject }: Pick<IEventHandler, "name" | "forget" | "eraseSubject">,
): Promise<void> {
  if (forget === undefined && eraseSubject === undefined) return;
  for (const { id, subject } of await database.query<{ id: string; subject: string | null }>(PURGES, [
    name,
  ])) {
    if ((subject === null ? forget : eraseSubject) === undefined) continue;
    await database.transaction(async (transaction) => {
      const claimed = await transaction.query(CLAIM, [id, name]);
      if (claimed.length === 0) return;
      if (subject !== null) await eraseSubject?.(subject, { transaction });
      else for await (const events of batchesOf(transaction, id)) await forget?.(events, { transaction });
      await transaction.query(FORGOTTEN, [id, name]);
    });
  }
}

async function* batchesOf(session: SqlSession, purge: string): AsyncGenerator<PurgedEvent[]> {
  for (let after = -1; ; ) {
    const events = await session.query<PurgedEvent>(EVENTS, [purge, after]);
    const last = events.at(-1);
    if (last === undefined) return;
    yield events;
    after = last.position;
  }
}
