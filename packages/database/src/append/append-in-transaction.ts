import type { StoredEvent, SynapEvent } from "@synap/types";
import { isConflict, isDataError } from "../connection/database-errors.ts";
import type { Transaction } from "../connection/sql-session.ts";
import { appendEvents, MAX_APPEND_EVENTS } from "./append-events.ts";
import { type AppendedEvent, readAppendRow, refusedByDatabase } from "./append-outcome.ts";

/** Runs in the append's transaction with what it has stored; when it throws, nothing is stored. */
export type AppendHook = (transaction: Transaction, events: readonly StoredEvent[]) => Promise<void>;

/** An append was refused for its data: the caller undoes it and goes on more carefully. */
export class RefusedAppendError extends Error {
  override readonly name = "RefusedAppendError";
}

/** Appends any number of events, 1,024 at a time, and gives each lot to the hook. Errors undo everything. */
export function appendAll(
  transaction: Transaction,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
): Promise<AppendedEvent[]> {
  return appendInLots(transaction, events, hook, appendOrRefuse);
}

/**
 * The same inside savepoints, where an event that PostgreSQL refuses costs no other: the lot is halved until it stands
 * alone. Conflicts with other transactions are tried again from the savepoint.
 */
export function appendAllCarefully(
  transaction: Transaction,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
): Promise<AppendedEvent[]> {
  return appendInLots(transaction, events, hook, appendHalving);
}

async function appendInLots(
  transaction: Transaction,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
  appendLot: (transaction: Transaction, events: readonly SynapEvent[]) => Promise<AppendedEvent[]>,
): Promise<AppendedEvent[]> {
  const appended: AppendedEvent[] = [];
  for (const slice of slices(events)) {
    const lot = await appendLot(transaction, slice);
    await runHook(transaction, lot, hook);
    appended.push(...lot);
  }
  return appended;
}

async function appendHalving(
  transaction: Transaction,
  events: readonly SynapEvent[],
): Promise<AppendedEvent[]> {
  try {
    return await appendInSavepoint(transaction, events);
  } catch (error) {
    const [only] = events;
    if (!isDataError(error) || only === undefined) throw error;
    if (events.length === 1) return [refusedByDatabase(only, error)];
    const half = Math.ceil(events.length / 2);
    const first = await appendHalving(transaction, events.slice(0, half));
    return [...first, ...(await appendHalving(transaction, events.slice(half)))];
  }
}

async function appendInSavepoint(
  transaction: Transaction,
  events: readonly SynapEvent[],
): Promise<AppendedEvent[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction.savepoint((savepoint) => appendOnce(savepoint, events));
    } catch (error) {
      if (!isConflict(error) || attempt === CONFLICT_ATTEMPTS) throw error;
      await pauseBeforeRetry(attempt);
    }
  }
}

async function appendOrRefuse(
  transaction: Transaction,
  events: readonly SynapEvent[],
): Promise<AppendedEvent[]> {
  try {
    return await appendOnce(transaction, events);
  } catch (error) {
    throw isDataError(error) ? new RefusedAppendError("the append was refused", { cause: error }) : error;
  }
}

async function appendOnce(transaction: Transaction, events: readonly SynapEvent[]): Promise<AppendedEvent[]> {
  const rows = await appendEvents(transaction, events);
  return events.map((event, index) => readAppendRow(event, rows[index]));
}

async function runHook(
  transaction: Transaction,
  lot: readonly AppendedEvent[],
  hook: AppendHook | undefined,
): Promise<void> {
  const stored = lot.flatMap((each) => each.stored ?? []);
  if (hook !== undefined && stored.length > 0) await hook(transaction, stored);
}

function* slices(events: readonly SynapEvent[]): Generator<readonly SynapEvent[]> {
  for (let start = 0; start < events.length; start += MAX_APPEND_EVENTS) {
    yield events.slice(start, start + MAX_APPEND_EVENTS);
  }
}

/** How often an append that met another transaction is tried in all. */
export const CONFLICT_ATTEMPTS = 6;

/** A few milliseconds, more each time, by chance: those who met once should not meet again. */
export async function pauseBeforeRetry(attempt: number): Promise<void> {
  await new Promise((done) => setTimeout(done, Math.random() * 10 * 2 ** attempt));
}
