import { AsyncLocalStorage } from "node:async_hooks";
import { asError } from "./thrown-error.ts";

const running = new AsyncLocalStorage<string>();

/**
 * Calls code of a handler, a projection or a decider. What it throws comes out as an Error that everybody may read. What
 * it leaves running behind it, a promise that nobody waits for or a timer, is known to be its own: see `runningHandler`.
 */
export async function callHandler<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await running.run(name, call);
  } catch (thrown) {
    throw asError(thrown);
  }
}

/** Whose code runs at this moment, if it is a handler's: also in what it began and didn't wait for. */
export function runningHandler(): string | undefined {
  return running.getStore();
}

/** The same for code that answers at once. */
export function callAtOnce<T>(name: string, call: () => T): T {
  try {
    return running.run(name, call);
  } catch (thrown) {
    throw asError(thrown);
  }
}
