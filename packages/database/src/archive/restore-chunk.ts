import type { Database, Transaction } from "../connection/sql-session.ts";
import { ArchiveDamagedError, ArchiveStateError } from "./archive-errors.ts";
import { type ArchivedChunk, lockArchivedChunk } from "./archived-chunk.ts";
import { withLock } from "./drop-chunk.ts";
import {
  type DigestedEvent,
  type EventColumn,
  type EventsDigest,
  type EventText,
  eventColumns,
  quoted,
  RunningDigest,
  rowsAsJson,
} from "./event-rows.ts";

/** A chunk to restore, the rows of its archive, and the actor. */
export interface RestoreRequest {
  readonly chunk: string;
  /** The rows of its archive, in the order of positions. */
  readonly rows: (columns: readonly EventColumn[]) => AsyncIterable<readonly EventText[]>;
  /** As in `createdBy` of an event. */
  readonly by: string;
  /** Called with the number of events written so far. */
  readonly onRows?: ((events: number) => void) | undefined;
}

/**
 * Writes the events of a dropped chunk back into the log: the same values, positions, ids and versions. All or nothing, in one transaction.
 * @throws ArchiveStateError for a chunk that is not dropped; ArchiveDamagedError when the rows are not those that were archived
 */
export async function restoreChunk(database: Database, request: RestoreRequest): Promise<EventsDigest> {
  const { chunk, by } = request;
  return database.asOwner(async (owner) => {
    const archived = await lockArchivedChunk(owner, chunk);
    if (archived?.state !== "dropped") throw new ArchiveStateError(chunk, archived?.state, "dropped");
    const found = await insertRows(owner, request);
    refuseDamaged(archived, found);
    // Whoever reads sees the events and that they are here at once.
    await withLock(owner, "LOCK TABLE synap.archived_ranges, synap.archived_chunks IN ACCESS EXCLUSIVE MODE");
    await owner.query(CHAINED, [archived.firstPosition, archived.lastPosition, chunk]);
    await owner.query(
      "DELETE FROM synap.archived_keys AS k USING synap.archived_chunks AS c WHERE c.chunk = $1 AND k.chunk = c.number",
      [chunk],
    );
    for (const table of ["archived_ranges", "archived_blocks", "archived_digests"])
      await owner.query(`DELETE FROM synap.${table} WHERE chunk = $1`, [chunk]);
    await owner.query(
      "UPDATE synap.archived_chunks SET state = 'restored', restored_at = clock_timestamp(), restored_by = $2 WHERE chunk = $1",
      [chunk, by],
    );
    return found;
  });
}

/** Compares events with those that were archived. @throws ArchiveDamagedError */
export function refuseDamaged(
  { chunk, events, digest }: ArchivedChunk,
  found: Pick<EventsDigest, "events" | "digest">,
): void {
  if (found.events !== events)
    throw new ArchiveDamagedError(chunk, `it has ${found.events} of ${events} events`);
  if (found.digest !== digest) throw new ArchiveDamagedError(chunk, "its events have another content");
}

// The events of the archive, of which the chain notes how many are in which chunk: in most cases a new one.
const CHAINED = `
INSERT INTO synap.chained_chunks AS kept (chunk, events, min_timestamp, max_timestamp)
SELECT e.tableoid::regclass::text, count(*), min(e."timestamp"), max(e."timestamp")
  FROM synap.archived_ranges AS r
  JOIN synap.archived_chunks AS c ON c.chunk = r.chunk
  JOIN synap.events AS e ON e."position" BETWEEN r.first_position AND r.last_position
                        AND e."timestamp" BETWEEN c.min_timestamp AND c.max_timestamp
 WHERE r.chunk = $3 AND e."position" BETWEEN $1 AND $2
 GROUP BY e.tableoid
ON CONFLICT (chunk) DO UPDATE SET
  events = kept.events + EXCLUDED.events,
  min_timestamp = least(kept.min_timestamp, EXCLUDED.min_timestamp),
  max_timestamp = greatest(kept.max_timestamp, EXCLUDED.max_timestamp)`;

async function insertRows(owner: Transaction, { rows, onRows }: RestoreRequest): Promise<EventsDigest> {
  const columns = await eventColumns(owner);
  const names = columns.map(({ name }) => quoted(name)).join(", ");
  const insert = `
    WITH added AS (
      INSERT INTO synap.events AS e (${names})
      SELECT ${names} FROM json_populate_recordset(NULL::synap.events, $1::text::json)
      RETURNING e."position", encode(synap.event_digest(e), 'hex') AS digest
    )
    SELECT "position", digest FROM added ORDER BY "position"`;
  const digest = new RunningDigest();
  let events = 0;
  for await (const some of rows(columns)) {
    if (some.length === 0) continue;
    const added = await owner.query<DigestedEvent>(insert, [rowsAsJson(columns, some)]);
    for (const event of added) digest.add(event);
    events += added.length;
    onRows?.(events);
  }
  return digest.end();
}
