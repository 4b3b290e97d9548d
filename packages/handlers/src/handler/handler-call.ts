import { AsyncLocalStorage } from "node:async_hooks";
import type { Transaction } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import { deepFreeze } from "@synap/types/internal";
import { type ReadableTypes, readableEvents } from "./readable-events.ts";
import { asError } from "./thrown-error.ts";

/** A running call of a handler, projection or decider. */
export interface RunningHandler {
  readonly handler: string;
  /** Number of events passed; 0 for a decider's command. */
  readonly events: number;
  /** The first of them. */
  readonly eventId?: string;
  readonly position?: number;
}

/** The parts that events of a call are read with. */
export interface EventReading {
  readonly types: ReadableTypes;
  /** The transaction that the call is in. */
  readonly transaction?: Transaction | undefined;
}

const running = new AsyncLocalStorage<RunningHandler>();

/**
 * Calls code of a handler or projection with events from the log, or copies of stored ones, at the current versions of their types,
 * with their personal values opened.
 * They and their array are frozen, because later handlers receive the same objects. Thrown values become Errors that are safe to read. Anything
 * left running, such as an unawaited promise or a timer, is attributed to the handler: see `runningHandler`.
 */
export async function callHandler<T>(
  name: string,
  events: readonly StoredEvent[],
  { types, transaction }: EventReading,
  call: (events: readonly StoredEvent[]) => T | Promise<T>,
): Promise<T> {
  const [first] = events;
  const about = {
    handler: name,
    events: events.length,
    ...(first !== undefined && { eventId: first.id, position: first.position }),
  };
  // Before the upcast too: its steps are code of the application.
  for (const event of events) deepFreeze(event);
  try {
    const { personalData } = types;
    const opened = personalData === undefined ? events : await personalData.open(events, { transaction });
    return await running.run(about, () => call(Object.freeze(readableEvents(opened, types).map(deepFreeze))));
  } catch (thrown) {
    throw asError(thrown);
  }
}

/** The handler whose code is running, including code that it started and did not await; undefined for other code. */
export function runningHandler(): RunningHandler | undefined {
  return running.getStore();
}

/** Calls synchronous code, such as a decider's, as {@link callHandler} does. */
export function callSync<T>(name: string, call: () => T): T {
  try {
    return running.run({ handler: name, events: 0 }, call);
  } catch (thrown) {
    throw asError(thrown);
  }
}
