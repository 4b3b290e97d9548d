import { setTimeout as sleep } from "node:timers/promises";
import { isCaughtUp, readProgress } from "../../src/processes/progress.ts";

/**
 * Waits until the store has at least as many events, no handler has any left to do, and nothing has changed for two
 * seconds.
 */
export async function waitUntilHandled(url: string, events: number, ms = 240_000): Promise<void> {
  const deadline = performance.now() + ms;
  let last = "";
  for (let quietFor = 0; quietFor < 2_000; quietFor += 200) {
    await sleep(200);
    const progress = await readProgress(url);
    const now = JSON.stringify(progress) ?? "the API does not answer";
    const isDone = progress !== undefined && progress.stored >= events && isCaughtUp(progress);
    if (!isDone || now !== last) quietFor = 0;
    last = now;
    if (performance.now() > deadline)
      throw new Error(`Not everything was stored and handled in ${ms / 1000} s: ${now}`);
  }
}
