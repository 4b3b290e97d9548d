import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until `look` finds something. The stand-in looks through its queue once a minute, whatever happens: a shorter
 * wait shows that it was woken. @throws when nothing was found after `timeout` milliseconds
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeout = 45_000,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`after ${timeout} ms still not: ${what}`);
    await sleep(15);
  }
}
