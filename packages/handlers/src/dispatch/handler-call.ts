import { AsyncLocalStorage } from "node:async_hooks";
import type { StoredEvent } from "@synap/types";
import { deepFreeze } from "@synap/types/internal";
import { asError } from "./thrown-error.ts";

/** A call of a handler's, projection's or decider's code. */
export interface RunningHandler {
  readonly handler: string;
  /** How many events it was given; 0 for a decider's command. */
  readonly events: number;
  /** The first of them. */
  readonly eventId?: string;
  readonly position?: number;
}

const running = new AsyncLocalStorage<RunningHandler>();

/**
 * Calls code of a handler or projection with the events, which are read from the log or copies of what is stored there. They
 * are frozen and so is their array: what one handler writes into them, all handlers after it would read. What it throws comes out as an Error that is safe to read. What it leaves running,
 * a promise that nothing awaits or a timer, is attributed to it: see `runningHandler`.
 */
export async function callHandler<T>(
  name: string,
  events: readonly StoredEvent[],
  call: (events: readonly StoredEvent[]) => T | Promise<T>,
): Promise<T> {
  const [first] = events;
  const about = {
    handler: name,
    events: events.length,
    ...(first !== undefined && { eventId: first.id, position: first.position }),
  };
  const frozen = Object.freeze(events.map(deepFreeze));
  try {
    return await running.run(about, () => call(frozen));
  } catch (thrown) {
    throw asError(thrown);
  }
}

/** Whose code runs at this moment, if it is a handler's: also in what that code began and did not await. */
export function runningHandler(): RunningHandler | undefined {
  return running.getStore();
}

/** The same for a decider, whose code answers at once. */
export function callAtOnce<T>(name: string, call: () => T): T {
  try {
    return running.run({ handler: name, events: 0 }, call);
  } catch (thrown) {
    throw asError(thrown);
  }
}
