import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../options.ts";

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;
const MOST_TRIES = 20;

/**
 * Does a database write again until it succeeds, so that a finished call isn't repeated because the database was away
 * for a moment. Gives up after about a minute and a half, or at once when `signal` is raised.
 *
 * @throws the last error
 */
export async function persist(
  write: () => Promise<void>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  let wait = FIRST_WAIT;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await write();
      return;
    } catch (error) {
      if (attempt >= MOST_TRIES || signal.aborted) throw error;
      if (attempt === 1) logger.warn({ error }, "a result could not be stored; trying again");
      await sleep(wait, undefined, { signal });
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  }
}
