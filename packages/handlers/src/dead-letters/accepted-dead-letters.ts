import type { Database, EventStore, SqlSession } from "@synap/database";
import type { EventCatalogue, SynapEvent } from "@synap/types";
import { describeFailure, isTransientFailure } from "../handler/handler-errors.ts";
import { CONFLICT_CODES, INGEST_HANDLER } from "../ingest/accepted-events.ts";
import { DeadLetterNotFoundError, DeadLetterResolvedError } from "./dead-letter-errors.ts";
import { type DeadLetterOutcome, lockOpen, noteFailure } from "./open-dead-letter.ts";
import { retryAccepted } from "./retry-accepted.ts";

const RESOLVE = `
UPDATE synap.dead_letters
   SET status = 'retried', resolved_at = now(), resolved_by = $2, resolution = $3, "position" = $4, attempts = attempts + 1
 WHERE id = $1`;

/**
 * Stores the content of an `ingest-events` dead letter and closes it, in one transaction; otherwise it stays open
 * with the new reason.
 *
 * @throws DeadLetterNotFoundError, DeadLetterResolvedError
 * @throws a transient failure, unwrapped; the dead letter is unchanged
 */
export async function retryAcceptedDeadLetter(
  database: Database,
  store: Pick<EventStore, "appendBatch">,
  { id, accepted, by }: { readonly id: number; readonly accepted: unknown; readonly by: string },
): Promise<DeadLetterOutcome> {
  const refused = (failure: { code: string; reason: string }): DeadLetterOutcome => {
    const { code, reason } = failure;
    return { id, status: "open", failure: { code, reason }, released: 0, parked: 0 };
  };
  try {
    return await database.transaction(async (transaction) => {
      await lockOpen(transaction, id);
      const retried = await retryAccepted(transaction, store, accepted);
      if (retried.status === "refused") {
        await noteFailure(transaction, id, retried);
        return refused(retried);
      }
      const { resolution, position = null } = retried;
      await transaction.query(RESOLVE, [id, by, resolution, position]);
      return { id, status: "retried", resolution, released: 0, parked: 0 };
    });
  } catch (error) {
    if (isTransientFailure(error) || isDecided(error)) throw error;
    // A deferred constraint of an inline handler's table failed at commit: nothing was stored.
    const failure = describeFailure(error);
    await noteFailure(database, id, failure);
    return refused(failure);
  }
}

const STORED_MEANWHILE = `
SELECT d.id
  FROM synap.dead_letters AS d
 WHERE d.status = 'open' AND d.handler = $1
   AND d.code <> ALL (ARRAY(SELECT json_array_elements_text($2::text::json)))
   AND EXISTS (
     SELECT FROM synap.event_ids AS i
      WHERE i.id = CASE WHEN d.event_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN d.event_id::uuid END)
 ORDER BY d.id LIMIT 100`;

/** Finds open `ingest-events` dead letters whose event id is stored by now, without those of known id conflicts. */
export async function deadLettersStoredMeanwhile(session: SqlSession): Promise<number[]> {
  const parameters = [INGEST_HANDLER, JSON.stringify(CONFLICT_CODES)];
  const rows = await session.query<{ id: number }>(STORED_MEANWHILE, parameters);
  return rows.map(({ id }) => id);
}

const OF_NEWER_VERSIONS = `
SELECT id, event FROM synap.dead_letters
 WHERE status = 'open' AND handler = $1 AND code = 'schema-version-newer' AND id > $2
 ORDER BY id LIMIT 100`;

/** Most pages that are looked through: another process may know what is behind them. */
const MAX_PAGES = 10;

/**
 * Finds open `ingest-events` dead letters of events that a process refused because of their versions, which this one knows.
 */
export async function deadLettersOfKnownVersions(
  session: SqlSession,
  catalogue: Pick<EventCatalogue, "has" | "isNewer">,
): Promise<number[]> {
  const known: number[] = [];
  for (let page = 1, after = 0; page <= MAX_PAGES; page += 1) {
    const rows: { id: number; event: SynapEvent }[] = await session.query(OF_NEWER_VERSIONS, [
      INGEST_HANDLER,
      after,
    ]);
    for (const { id, event } of rows)
      if (catalogue.has(event.type) && !catalogue.isNewer(event)) known.push(id);
    if (rows.length < 100) break;
    after = rows.at(-1)?.id ?? 0;
  }
  return known;
}

function isDecided(error: unknown): boolean {
  return error instanceof DeadLetterResolvedError || error instanceof DeadLetterNotFoundError;
}
