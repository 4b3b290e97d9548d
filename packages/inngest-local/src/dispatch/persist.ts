import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../options.ts";
import { type Backoff, pauseAfter } from "./backoff.ts";

const BACKOFF: Backoff = { firstMs: 100, maxMs: 5_000 };
const MAX_ATTEMPTS = 20;

/**
 * Retries a database write until it succeeds, so that a finished call isn't repeated because the database was briefly
 * unavailable. Gives up after about a minute and a half, or when `signal` is aborted.
 *
 * @throws the last error
 */
export async function persist(
  write: () => Promise<void>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await write();
      return;
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || signal.aborted) throw error;
      if (attempt === 1) logger.warn({ error }, "a result could not be stored; trying again");
      await sleep(pauseAfter(attempt, BACKOFF), undefined, { signal });
    }
  }
}
