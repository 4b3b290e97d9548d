import type { Transaction } from "@synap/database";
import { eventsInForce, type StoredEvent } from "@synap/types";
import { AsOfRun, PAST_PAGE, type PastFold, pastPages } from "./as-of.ts";
import type { Projection } from "./projection.ts";
import { AsOfTooLongError } from "./projection-errors.ts";
import { createTables } from "./read-tables.ts";

/** A fold of the events in force, as known at `moment` (default: now), that hold at another moment. */
export interface KnownFold extends PastFold {
  readonly validAt: Date;
  /** Size of the events that are held, in bytes of JSON, after which to give up. Default: none. */
  readonly maxBytes?: number | undefined;
  /** Number of batches, each of which the projection applies with statements of its own, above which to give up. Default: none. */
  readonly maxBatches?: number | undefined;
}

/**
 * Creates the tables of a run and folds into them what was known, in the order of validity. All events up to then are held, because any of them
 * may be amended by a later one.
 *
 * @throws AsOfTooLongError
 */
export async function foldKnown(transaction: Transaction, request: KnownFold): Promise<void> {
  const { projection, moment: knownAt, validAt, suffix } = request;
  const { maxBytes = Number.POSITIVE_INFINITY, maxBatches = Number.POSITIVE_INFINITY } = request;
  await createTables(transaction, projection.tables, suffix);
  const held: StoredEvent[] = [];
  let bytes = 0;
  for await (const events of pastPages(transaction, request)) {
    held.push(...events);
    bytes += events.reduce((sum, { data, metadata }) => sum + sizeOf(data) + sizeOf(metadata), 0);
    if (bytes > maxBytes) throw new AsOfTooLongError(projection.name, maxBytes, "data");
  }
  const batches = [...batchesOf(eventsInForce(held, { knownAt, validAt }), projection)];
  if (batches.length > maxBatches) throw new AsOfTooLongError(projection.name, maxBatches, "batches");
  const run = new AsOfRun(projection, suffix);
  for (const batch of batches) await run.apply(batch, transaction);
}

function sizeOf(json: object | undefined): number {
  return json === undefined ? 0 : Buffer.byteLength(JSON.stringify(json));
}

/**
 * Splits events into batches, each in the order of positions, as `apply` expects: SQL that selects the last event of a batch by its position
 * selects the last in the order of validity. Rows that are evolved one event after the other need no such batches.
 */
function* batchesOf(
  events: readonly StoredEvent[],
  { keepsOrder = false }: Pick<Projection, "keepsOrder">,
): Generator<readonly StoredEvent[]> {
  let batch: StoredEvent[] = [];
  for (const event of events) {
    const last = batch.at(-1);
    if (
      last !== undefined &&
      (batch.length === PAST_PAGE || (!keepsOrder && event.position < last.position))
    ) {
      yield batch;
      batch = [];
    }
    batch.push(event);
  }
  if (batch.length > 0) yield batch;
}
