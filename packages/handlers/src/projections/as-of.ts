import { randomBytes } from "node:crypto";
import type { Database, EventStore, Transaction } from "@synap/database";
import { checkMoment, type StoredEvent } from "@synap/types";
import { streamKey } from "../dead-letters/held-streams.ts";
import { describeFailure, isTransientFailure } from "../dispatch/handler-errors.ts";
import type { Projection, ReadTable } from "./projection.ts";
import { createTables, projectionContext, tableOf } from "./read-tables.ts";

/** Until when: a position, or a moment (a Date or RFC 3339 text), meaning what the store had recorded by then. */
export type AsOf = { readonly position: number } | { readonly moment: Date | string };

/** A read model as it was. */
export interface ReadModelAsOf {
  /** The rows of each table, in the order of its key. */
  readonly rows: Readonly<Record<string, readonly Record<string, unknown>[]>>;
  /** Events that could not be applied, and those of their streams that come after them, are not in the rows. */
  readonly failed: readonly { readonly eventId: string; readonly reason: string }[];
  /** How many events were applied. */
  readonly events: number;
}

/** What a run is made of. */
export interface AsOfRequest {
  readonly database: Database;
  readonly store: Pick<EventStore, "readAll">;
  readonly projection: Projection;
  readonly at: AsOf;
  /** The most rows of each table to answer. Default 10,000. */
  readonly maxRows?: number | undefined;
}

const PAGE = 1_000;

class Undo extends Error {}

/**
 * Folds a projection's events up to a position or moment into tables of its own, reads them, and leaves nothing behind:
 * it is a transaction that is rolled back. Takes as long as that many events take; the embedded engine does nothing
 * else meanwhile.
 * @throws InvalidMomentError; RangeError when the position is no whole number from 0.
 */
export async function projectionAsOf(request: AsOfRequest): Promise<ReadModelAsOf> {
  const bound = boundOf(request.at);
  let result: ReadModelAsOf | undefined;
  const undo = new Undo();
  await request.database.reads
    .transaction(async (transaction) => {
      result = await fold(request, bound, transaction);
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  if (result === undefined) throw new Error("The as-of run has no result.");
  return result;
}

/** Where a run ends, checked: a position, or a moment. */
type Bound = number | Date;

function boundOf(at: AsOf): Bound {
  if ("moment" in at) return checkMoment("moment", at.moment);
  if (Number.isSafeInteger(at.position) && at.position >= 0) return at.position;
  throw new RangeError(`A position is a whole number from 0, not ${at.position}.`);
}

async function fold(request: AsOfRequest, bound: Bound, transaction: Transaction): Promise<ReadModelAsOf> {
  const { projection, store } = request;
  const suffix = `asof_${randomBytes(4).toString("hex")}`;
  await createTables(transaction, projection.tables, suffix);
  const last = await lastPosition(transaction, bound);
  const isWanted = (event: StoredEvent) =>
    event.position <= last && (typeof bound === "number" || Date.parse(event.recordedAt) <= bound.valueOf());
  const run = new AsOfRun(projection, suffix);
  for (let after = 0; after < last; ) {
    const page = await store.readAll({
      after,
      limit: PAGE,
      ...(projection.eventTypes === "all" ? {} : { types: projection.eventTypes }),
      transaction,
    });
    await run.apply(page.events.filter(isWanted), transaction);
    if (page.caughtUp) break;
    after = page.position;
  }
  const rows: Record<string, Record<string, unknown>[]> = {};
  for (const table of projection.tables) {
    rows[table.name] = await readRows(transaction, table, suffix, request.maxRows ?? 10_000);
  }
  return { rows, failed: run.failed, events: run.applied };
}

function readRows(
  transaction: Transaction,
  table: ReadTable,
  suffix: string,
  limit: number,
): Promise<Record<string, unknown>[]> {
  const text = `SELECT * FROM ${tableOf(table.name, suffix)} ORDER BY ${table.key.join(", ")} LIMIT $1`;
  return transaction.query(text, [limit]);
}

async function lastPosition(transaction: Transaction, bound: Bound): Promise<number> {
  if (typeof bound === "number") return bound;
  const [row] = await transaction.query<{ position: number }>(
    `SELECT coalesce(max(last_position), 0) AS "position" FROM synap.appends WHERE recorded_at <= $1::timestamptz`,
    [bound],
  );
  return row?.position ?? 0;
}

/** Applies batches, and takes apart the ones that fail. */
class AsOfRun {
  readonly failed: { eventId: string; reason: string }[] = [];
  applied = 0;
  readonly #held = new Set<string>();
  readonly #projection: Projection;
  readonly #suffix: string;

  constructor(projection: Projection, suffix: string) {
    this.#projection = projection;
    this.#suffix = suffix;
  }

  async apply(batch: readonly StoredEvent[], transaction: Transaction): Promise<void> {
    const events = batch.filter((event) => !this.#held.has(streamKey(event)));
    if (events.length === 0) return;
    const failure = await this.#try(events, transaction);
    if (failure === undefined) this.applied += events.length;
    else if (events.length > 1) {
      const middle = Math.ceil(events.length / 2);
      await this.apply(events.slice(0, middle), transaction);
      await this.apply(events.slice(middle), transaction);
    } else {
      for (const event of events) {
        this.#held.add(streamKey(event));
        this.failed.push({ eventId: event.id, reason: failure });
      }
    }
  }

  async #try(events: readonly StoredEvent[], transaction: Transaction): Promise<string | undefined> {
    try {
      await transaction.savepoint((savepoint) =>
        this.#projection.apply(events, projectionContext(this.#projection, this.#suffix, savepoint)),
      );
      return undefined;
    } catch (error) {
      if (isTransientFailure(error)) throw error;
      return describeFailure(error).reason;
    }
  }
}
