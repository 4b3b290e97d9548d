import { randomBytes } from "node:crypto";
import {
  type Database,
  type EventStore,
  MAX_PAGE_BYTES,
  type SqlSession,
  type Transaction,
} from "@synap/database";
import { checkPast, type StoredEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { describeFailure, isTransientFailure } from "../handler/handler-errors.ts";
import type { Projection } from "./projection.ts";
import { AsOfTooLongError } from "./projection-errors.ts";
import type { ReadTable } from "./read-table.ts";
import { createTables, projectionContext, tableOf } from "./read-tables.ts";

/** The end of an as-of run: a position, or a moment (a Date or RFC 3339 text) by which the events were recorded. */
export type AsOf = { readonly position: number } | { readonly moment: Date | string };

/** A read model at a position or moment in the past. */
export interface ReadModelAsOf {
  /** The rows of each table, in the order of its key. */
  readonly rows: Readonly<Record<string, readonly Record<string, unknown>[]>>;
  /** The tables with more rows than `maxRows`, or than 4 MiB of text: only their first rows are returned. */
  readonly cut: readonly string[];
  /** Events that could not be applied. They and the later events of their streams are missing from the rows. */
  readonly failed: readonly { readonly eventId: string; readonly reason: string }[];
  /** Number of applied events. */
  readonly events: number;
}

/** The parameters of an as-of run. */
export interface AsOfRequest {
  readonly database: Database;
  readonly store: Pick<EventStore, "readAll">;
  readonly projection: Projection;
  readonly at: AsOf;
  /** Maximum number of rows returned for each table; fewer when they are large, see `cut`. Default 10,000. */
  readonly maxRows?: number | undefined;
  /** Maximum size of the rows of all tables together, in bytes of text. Default: 4 MiB for each table. */
  readonly maxBytes?: number | undefined;
  /** Number of events of the log, of any type, after which the run is given up. Default: none. */
  readonly maxEvents?: number | undefined;
}

/** Number of events of the log that are read, and applied, at a time. */
export const PAST_PAGE = 1_000;

class Undo extends Error {}

/**
 * Folds a projection's events up to a position or moment into temporary tables and reads them, in
 * a transaction that is rolled back. Takes time in proportion to the number of events; the embedded engine does nothing
 * else meanwhile.
 * @throws InvalidMomentError; MomentInFutureError; AsOfTooLongError; RangeError when the position is not a whole number from 0.
 */
export async function projectionAsOf(request: AsOfRequest): Promise<ReadModelAsOf> {
  const bound = boundOf(request.at);
  return rolledBack(request.database, (transaction) => fold(request, bound, transaction));
}

/** Runs work in a transaction that leaves nothing behind, and returns its result. */
export async function rolledBack<Result>(
  database: Pick<Database, "reads">,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  let done: { readonly result: Result } | undefined;
  const undo = new Undo();
  await database.reads
    .transaction(async (transaction) => {
      done = { result: await work(transaction) };
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  if (done === undefined) throw new Error("The as-of run has no result.");
  return done.result;
}

/** The validated end of a run: a position or a moment. */
type Bound = number | Date;

function boundOf(at: AsOf): Bound {
  if ("moment" in at) return checkPast("moment", at.moment);
  if (Number.isSafeInteger(at.position) && at.position >= 0) return at.position;
  throw new RangeError(`A position must be a whole number from 0, not ${at.position}.`);
}

/** A fold of a projection's events into tables of its own, which are dropped with the transaction. */
export interface PastFold extends Pick<AsOfRequest, "projection" | "store" | "maxEvents"> {
  /** The end: a position, and with a moment also when the events were recorded. */
  readonly position: number;
  readonly moment?: Date | undefined;
  /** The end of the names of the tables: see `tableOf`. */
  readonly suffix: string;
}

/** Returns a name for the tables of a run. */
export function pastSuffix(): string {
  return `asof_${randomBytes(4).toString("hex")}`;
}

/** Creates the tables of a run and folds the events into them. @throws AsOfTooLongError */
export async function foldPast(transaction: Transaction, request: PastFold): Promise<AsOfRun> {
  const { projection, suffix } = request;
  await createTables(transaction, projection.tables, suffix);
  const run = new AsOfRun(projection, suffix);
  for await (const events of pastPages(transaction, request)) await run.apply(events, transaction);
  return run;
}

/** Reads a projection's events up to the end of a fold, page by page, in the order of positions. @throws AsOfTooLongError */
export async function* pastPages(
  transaction: Transaction,
  {
    projection,
    store,
    position: last,
    moment,
    maxEvents = Number.POSITIVE_INFINITY,
  }: Omit<PastFold, "suffix">,
): AsyncGenerator<readonly StoredEvent[]> {
  const isWanted = (event: StoredEvent) =>
    event.position <= last && (moment === undefined || Date.parse(event.recordedAt) <= moment.valueOf());
  for (let after = 0, read = 0; after < last; read += PAST_PAGE) {
    // A page covers so many events of the log, whichever of them are wanted.
    if (read >= maxEvents) throw new AsOfTooLongError(projection.name, maxEvents);
    const page = await store.readAll({
      after,
      limit: PAST_PAGE,
      ...(projection.eventTypes === "all" ? {} : { types: projection.eventTypes }),
      transaction,
    });
    yield page.events.filter(isWanted);
    if (page.caughtUp) break;
    after = page.position;
  }
}

async function fold(request: AsOfRequest, bound: Bound, transaction: Transaction): Promise<ReadModelAsOf> {
  const { projection } = request;
  const suffix = pastSuffix();
  const moment = typeof bound === "number" ? undefined : bound;
  const position = typeof bound === "number" ? bound : await lastPosition(transaction, bound);
  const run = await foldPast(transaction, { ...request, position, moment, suffix });
  const rows: Record<string, Record<string, unknown>[]> = {};
  const cut: string[] = [];
  let left = request.maxBytes;
  for (const table of projection.tables) {
    const bounds = { maxRows: request.maxRows ?? 10_000, maxBytes: left ?? MAX_PAGE_BYTES };
    const read = await readRows(transaction, table, suffix, bounds);
    if (left !== undefined) left = Math.max(0, left - read.bytes);
    rows[table.name] = read.rows;
    if (read.isCut) cut.push(table.name);
  }
  return { rows, cut, failed: run.failed, events: run.applied };
}

/** Number of rows measured at a time: the database materialises a row before it measures its text. */
const ROWS_A_TIME = 250;

/** Reads the rows of a table that fit into a response. */
async function readRows(
  transaction: Transaction,
  table: ReadTable,
  suffix: string,
  { maxRows, maxBytes }: { readonly maxRows: number; readonly maxBytes: number },
): Promise<{ rows: Record<string, unknown>[]; bytes: number; isCut: boolean }> {
  const name = tableOf(table.name, suffix);
  const order = table.key.join(", ");
  let fitting = 0;
  let bytes = 0;
  let isCut = false;
  for (let isMore = true; isMore && !isCut; ) {
    const parameters = [fitting, ROWS_A_TIME, maxBytes - bytes];
    const [slice] = await transaction.query<MeasuredSlice>(measureSlice(name, order), parameters);
    if (slice === undefined) throw new Error(`The rows of ${name} could not be measured.`);
    fitting += slice.fitting;
    bytes += slice.bytes;
    isMore = slice.found === ROWS_A_TIME;
    isCut = slice.fitting < slice.found || (isMore && bytes >= maxBytes) || fitting > maxRows;
  }
  const rows = Math.min(fitting, maxRows);
  return {
    rows: await transaction.query(`SELECT * FROM ${name} ORDER BY ${order} LIMIT $1`, [rows]),
    bytes,
    isCut,
  };
}

interface MeasuredSlice {
  readonly found: number;
  /** Number of rows that fit into a response, including the one that reaches the bound. */
  readonly fitting: number;
  readonly bytes: number;
}

function measureSlice(table: string, order: string): string {
  return `
SELECT count(*) AS found, count(*) FILTER (WHERE bytes_before < $3::integer) AS fitting, coalesce(max(bytes), 0) AS bytes
  FROM (
    SELECT bytes, coalesce(lag(bytes) OVER (ORDER BY ordinal), 0) AS bytes_before
      FROM (
        SELECT ordinal, synap.printed_bytes(whole_row, NULL, $3::integer) OVER (ORDER BY ordinal) AS bytes
          FROM (
            SELECT t AS whole_row, row_number() OVER (ORDER BY ${order}) AS ordinal
              FROM ${table} AS t ORDER BY ${order} OFFSET $1 LIMIT $2
          ) AS slice
      ) AS measured
  ) AS measured`;
}

/** Reads the position of the last event that was stored, by a moment if one is given: 0 before the first. */
export async function lastPosition(session: SqlSession, moment: Date | undefined): Promise<number> {
  const [row] = await session.query<{ position: number }>(
    `SELECT coalesce(max(last_position), 0) AS "position" FROM synap.appends WHERE recorded_at <= coalesce($1::timestamptz, 'infinity')`,
    [moment ?? null],
  );
  return row?.position ?? 0;
}

/** Applies batches and splits those that fail. */
export class AsOfRun {
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
