import { setTimeout as sleep } from "node:timers/promises";

/** Exponential backoff: the wait doubles from `firstMs` up to `maxMs`. */
export interface Backoff {
  /** The wait after the first failure, in milliseconds. */
  readonly firstMs: number;
  /** The longest wait, in milliseconds. */
  readonly maxMs: number;
}

/** One second after the first failure, doubling up to half a minute: five attempts take 15 seconds. */
export const defaultBackoff: Backoff = { firstMs: 1_000, maxMs: 30_000 };

/** The wait in milliseconds after the given number of failures in a row (1 or more). */
export function backoffDelay(failures: number, backoff: Backoff = defaultBackoff): number {
  return Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.max(0, failures - 1));
}

/** Waits for a random part of the backoff, so that transactions that met in a conflict don't meet again. */
export async function pauseAfterConflict(conflicts: number, backoff: Backoff): Promise<void> {
  await sleep(Math.random() * backoffDelay(conflicts, backoff));
}
