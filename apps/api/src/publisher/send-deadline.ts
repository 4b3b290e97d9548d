import { AsyncLocalStorage } from "node:async_hooks";

const deadline = new AsyncLocalStorage<AbortSignal>();

/**
 * Runs `work` with a time limit, on itself and on the HTTP requests that `fetchWithinDeadline` makes inside it. The
 * Inngest SDK tries five times and puts no limit on one try, so a broker that takes the connection and then says nothing
 * would hold a sender for minutes. After the limit each further try of the SDK fails at once.
 *
 * @throws a TimeoutError, or what `work` throws
 */
export async function withinDeadline<Result>(
  milliseconds: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // The SDK takes an error that does not begin like this for a badly made `fetch`, and says so in the log.
      const error = new DOMException(`fetch failed: no answer within ${milliseconds} ms`, "TimeoutError");
      limit.abort(error);
      reject(error);
    }, milliseconds);
  });
  try {
    return await Promise.race([deadline.run(limit.signal, work), expiry]);
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch`, given up when the deadline of the surrounding `withinDeadline` passes. For the Inngest client. */
export const fetchWithinDeadline: typeof fetch = (input, init) => {
  const signal = deadline.getStore();
  return fetch(input, signal === undefined ? init : { ...init, signal });
};
