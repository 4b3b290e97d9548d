/** Exponential backoff: pauses that double from the first one up to the longest. */
export interface Backoff {
  /** Milliseconds. */
  readonly firstMs: number;
  /** Milliseconds. */
  readonly maxMs: number;
}

/**
 * The pause in milliseconds after this many failures in a row, with jitter: from half of it to the whole, so that clients
 * which failed together don't come back together. As long as the API asks for, where that is longer.
 */
export function pauseAfter(
  failures: number,
  { firstMs, maxMs }: Backoff,
  retryAfterMs: number | undefined = 0,
): number {
  const longest = Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return Math.max(retryAfterMs, longest * (0.5 + Math.random() / 2));
}

/** Resolves after so many milliseconds. @throws the signal's reason */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
