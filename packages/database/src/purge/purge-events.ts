import { randomUUID } from "node:crypto";
import { appendBatchIn } from "../append/append-events.ts";
import { numberArray } from "../append/append-new-events.ts";
import type { Database, SqlSession, Transaction } from "../connection/sql-session.ts";
import { notify } from "../observers.ts";
import { PURGE_DIGEST, PURGE_EVENT_TYPE, purgeCatalogue } from "./purge-event.ts";
import {
  BEFORE_ALL,
  checkSelection,
  type EventPlace,
  type PurgeSelection,
  refuseArchivedSelection,
  selectPlaces,
} from "./purge-selection.ts";

/** Events of one transaction. Appends wait while it runs. */
const BATCH = 500;

/** A purge: which events, why, and the actor. */
export interface PurgeRequest {
  readonly selection: PurgeSelection;
  /** Why the events are removed, 1 to 1,000 characters. It stays in the log: it must not have what is to be removed. */
  readonly reason: string;
  /** The actor, as in `createdBy` of an event. */
  readonly by: string;
  /** True for events that are removed because of their age: snapshots and what read models and handlers made of them stay. Default: false. */
  readonly keepsCopies?: boolean;
  /** Called after each transaction with the number of events removed so far. */
  readonly onProgress?: ((removed: number) => void) | undefined;
}

/** A purge of which every event is removed. */
export interface Purge {
  readonly id: string;
  readonly events: number;
  /** Position of the event that records it. */
  readonly position: number;
}

/** Thrown when an earlier purge was interrupted, or is under way. */
export class PurgeUnfinishedError extends Error {
  readonly code = "PURGE_UNFINISHED";
  override readonly name = "PurgeUnfinishedError";
  readonly purge: string;

  constructor(purge: string) {
    super(`Purge ${purge} was interrupted, or is under way in another process. Continue it first.`);
    this.purge = purge;
  }
}

/** Thrown when there is no purge to continue. */
export class NoPurgeToContinueError extends Error {
  readonly code = "NO_PURGE_TO_CONTINUE";
  override readonly name = "NoPurgeToContinueError";

  constructor() {
    super("No purge was interrupted: there is nothing to continue.");
  }
}

/**
 * Removes stored events, and the copies of them in the schema `synap`: the exception to the immutability of the log. The positions and
 * the versions of the others stay, and no later event takes those of the removed ones. An event `log.purged` records it. The workers then
 * build the read models anew that may have read the events.
 *
 * An interruption between two of its transactions does no harm: `continuePurge` does the rest.
 *
 * @returns undefined when no stored event is selected
 * @throws RangeError for a selection out of bounds; PurgeUnfinishedError; EventsArchivedError when some of them are archived
 */
export async function purgeEvents(
  database: Database,
  { selection, reason, by, keepsCopies = false, onProgress }: PurgeRequest,
): Promise<Purge | undefined> {
  checkSelection(selection);
  const id = randomUUID();
  const begun = await database.asOwner(async (owner) => {
    await owner.query("LOCK TABLE synap.purges IN SHARE ROW EXCLUSIVE MODE");
    const unfinished = await unfinishedPurge(owner);
    if (unfinished !== undefined) throw new PurgeUnfinishedError(unfinished.id);
    const upTo = await lastPosition(owner);
    await refuseArchivedSelection(owner, selection);
    const [first] = await selectPlaces(owner, selection, { after: BEFORE_ALL, upTo, limit: 1 });
    if (first === undefined) return false;
    await owner.query(
      "INSERT INTO synap.purges (id, up_to, purged_by, reason, keeps_copies, selection) VALUES ($1, $2, $3, $4, $5, $6::text::jsonb)",
      [id, upTo, by, reason, keepsCopies, JSON.stringify(selection)],
    );
    return true;
  });
  return begun ? continuePurge(database, onProgress) : undefined;
}

/**
 * Removes the rest of the events of a purge that was interrupted, and records it.
 * @throws NoPurgeToContinueError; EventsArchivedError when some of them were archived meanwhile
 */
export async function continuePurge(
  database: Database,
  onProgress?: (removed: number) => void,
): Promise<Purge> {
  const isCommunity = database.capabilities.edition === "community";
  let after = BEFORE_ALL;
  for (;;) {
    const step = await database.asOwner((owner) => removeNext(owner, after, isCommunity));
    if ("id" in step) return step;
    after = step.last;
    notify(onProgress, step.removed);
  }
}

/** Position up to which every append is finished. */
export async function lastPosition(session: SqlSession): Promise<number> {
  const [row] = await session.query<{ position: number }>(
    `SELECT synap.append_watermark() * 1024 + 1023 AS "position"`,
  );
  if (row === undefined) throw new Error("The query of the watermark returned no row.");
  return row.position;
}

interface UnfinishedPurge {
  readonly id: string;
  readonly up_to: number;
  readonly events: number;
  readonly purged_by: string;
  readonly reason: string;
  readonly selection: string;
}

async function unfinishedPurge(owner: Transaction): Promise<UnfinishedPurge | undefined> {
  const [row] = await owner.query<UnfinishedPurge>(
    `SELECT id, up_to, events, purged_by, reason, selection::text
       FROM synap.purges
      WHERE removed_at IS NULL
      ORDER BY begun_at LIMIT 1
        FOR UPDATE`,
  );
  return row;
}

/** Removes the next events after a place, or records the purge when none is left. */
async function removeNext(
  owner: Transaction,
  after: EventPlace,
  isCommunity: boolean,
): Promise<Purge | { readonly last: EventPlace; readonly removed: number }> {
  const purge = await unfinishedPurge(owner);
  if (purge === undefined) throw new NoPurgeToContinueError();
  // Written by purgeEvents.
  const selection = JSON.parse(purge.selection) as PurgeSelection;
  await refuseArchivedSelection(owner, selection);
  const places = await selectPlaces(owner, selection, { after, upTo: purge.up_to, limit: BATCH });
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined) return record(owner, purge);
  await owner.query("SELECT set_config('synap.purge', 'on', true)");
  if (isCommunity) {
    await owner.query(
      "SELECT set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true)",
    );
  }
  await owner.query("SELECT synap.purge_events($1, $2::text::bigint[], $3, $4)", [
    purge.id,
    numberArray(places.map(({ position }) => position)),
    new Date(first.timestamp),
    new Date(last.timestamp),
  ]);
  return { last, removed: purge.events + places.length };
}

/** Appends the event that records a purge, with the digest of what was kept of its events. */
async function record(owner: Transaction, { id, purged_by: by, reason }: UnfinishedPurge): Promise<Purge> {
  const [kept] = await owner.query<{ events: number; digest: string }>(`${PURGE_DIGEST} WHERE purge = $1`, [
    id,
  ]);
  if (kept === undefined) throw new Error("The query of the purge's digest returned no row.");
  const { events, digest } = kept;
  const event = purgeCatalogue.createSynapEvent({
    type: PURGE_EVENT_TYPE,
    aggregateId: id,
    createdBy: by,
    source: "purge",
    data: { purge: id, events, digest, reason },
  });
  const [appended] = await appendBatchIn(owner, [event], undefined);
  if (appended?.outcome.status !== "stored") throw new Error(`The event of purge ${id} was not stored.`);
  const { position } = appended.outcome;
  await owner.query(RECORDED, [id, events, position]);
  return { id, events, position };
}

const RECORDED = `
UPDATE synap.purges
   SET removed_at = clock_timestamp(), finished_at = CASE WHEN keeps_copies THEN clock_timestamp() END, events = $2, "position" = $3, selection = NULL,
       last_build = (SELECT s.last_value FROM synap.projection_build_numbers AS s)
 WHERE id = $1`;
