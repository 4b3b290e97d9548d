import { setTimeout as sleep } from "node:timers/promises";

/**
 * Polls `check` until it returns a value. The local broker polls its queue once a minute, so a shorter wait proves that it
 * was woken. @throws when there is no value after `timeout` milliseconds
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeout = 45_000,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`after ${timeout} ms still not: ${what}`);
    await sleep(15);
  }
}
