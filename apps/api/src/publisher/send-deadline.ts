import { AsyncLocalStorage } from "node:async_hooks";

const deadline = new AsyncLocalStorage<AbortSignal>();

/**
 * Runs `work` with a time limit on the HTTP requests that `fetchWithinDeadline` makes inside it. The Inngest SDK
 * tries five times and puts no limit on one try, so a broker that takes the connection and then says nothing would
 * hold a sender for minutes. After the limit each further try fails at once.
 */
export function withinDeadline<Result>(milliseconds: number, work: () => Promise<Result>): Promise<Result> {
  return deadline.run(AbortSignal.timeout(milliseconds), work);
}

/** `fetch`, given up when the deadline of the surrounding `withinDeadline` passes. For the Inngest client. */
export const fetchWithinDeadline: typeof fetch = (input, init) => {
  const signal = deadline.getStore();
  return fetch(input, signal === undefined ? init : { ...init, signal });
};
