import { type EventStore, type SqlSession, StreamLockedError } from "@synap/database";
import { isLockTimeout } from "@synap/database/internal";
import type { SynapEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { type AcceptedOutcome, appendAcceptedEvents } from "./accepted-events.ts";

/** The outcome of an event that is not stored yet because its stream could not be locked. */
export interface LockedOutcome {
  readonly status: "locked";
  readonly id: string;
  /** The lock timeout. */
  readonly cause: unknown;
}

/**
 * Lock timeout of a batch, in milliseconds: just longer than appends to a stream wait for one another,
 * because the batch holds its other locks in the meantime.
 */
const BATCH_LOCK_TIMEOUT = 250;
/** Maximum number of lock waits of a batch. The events left after them count as locked. */
const MAX_LOCK_WAITS = 12;

/**
 * Appends accepted events as `appendAcceptedEvents` does, but skips streams that are locked elsewhere, so that
 * they delay no others. All events of a stream are stored or skipped together, in their order.
 *
 * @throws the database's error. Events stored before it stay stored, and repeating the call is harmless.
 */
export async function appendAroundLocks(
  session: SqlSession,
  store: Pick<EventStore, "appendBatch">,
  events: readonly SynapEvent[],
): Promise<(AcceptedOutcome | LockedOutcome)[]> {
  const outcomes = new Map<SynapEvent, AcceptedOutcome | LockedOutcome>();
  const batches: (readonly SynapEvent[])[] = [events];
  let waits = 0;
  let lastTimeout: unknown;
  for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
    if (batch.length === 0) continue;
    if (waits === MAX_LOCK_WAITS) {
      for (const event of batch) outcomes.set(event, locked(event, lastTimeout));
      continue;
    }
    try {
      const how = { lockTimeout: BATCH_LOCK_TIMEOUT };
      const appended = await appendAcceptedEvents(session, store, batch, how);
      for (const [index, outcome] of appended.entries()) outcomes.set(eventAt(batch, index), outcome);
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      waits += 1;
      lastTimeout = error;
      const { left, rest } = divide(batch, error);
      for (const event of left) outcomes.set(event, locked(event, error));
      batches.push(...rest);
    }
  }
  return events.map((event) => {
    const outcome = outcomes.get(event);
    if (outcome === undefined) throw new Error(`The append of ${event.id} has no outcome.`);
    return outcome;
  });
}

/** Divides a batch that met a lock into the events to skip and the events to try again. */
function divide(
  batch: readonly SynapEvent[],
  error: unknown,
): { readonly left: readonly SynapEvent[]; readonly rest: readonly (readonly SynapEvent[])[] } {
  const named = new Set(error instanceof StreamLockedError ? error.streams.map(streamKey) : []);
  const left = batch.filter((event) => named.has(streamKey(event)));
  if (left.length > 0) return { left, rest: [batch.filter((event) => !named.has(streamKey(event)))] };
  // Something else is locked, for example a row that an inline handler writes: find the streams that need it.
  const streams = [...new Set(batch.map(streamKey))];
  if (streams.length === 1) return { left: batch, rest: [] };
  const first = new Set(streams.slice(0, Math.ceil(streams.length / 2)));
  return {
    left: [],
    rest: [
      batch.filter((event) => first.has(streamKey(event))),
      batch.filter((event) => !first.has(streamKey(event))),
    ],
  };
}

function eventAt(batch: readonly SynapEvent[], index: number): SynapEvent {
  const event = batch[index];
  if (event === undefined)
    throw new Error(`The append has an outcome for event ${index}, which is not there.`);
  return event;
}

function locked({ id }: SynapEvent, cause: unknown): LockedOutcome {
  return { status: "locked", id, cause };
}
