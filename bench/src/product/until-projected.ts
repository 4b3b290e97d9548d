import { setTimeout as sleep } from "node:timers/promises";
import { isCaughtUp, readProgress } from "@synap/scripts/processes/progress.ts";

const LOOK_MS = 100;

/**
 * Waits until so many events are stored, and passed by every handler and projection.
 *
 * @returns whether that came about in time
 */
export async function untilProjected(
  apiUrl: string,
  events: number,
  { patienceMs, signal }: { patienceMs: number; signal: AbortSignal },
): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    const progress = await readProgress(apiUrl);
    if (progress !== undefined && progress.projected >= events) return true;
    await sleep(LOOK_MS);
  }
  return false;
}

const QUIET_LOOK_MS = 500;
const QUIET_LOOKS = 3;
const QUIET_PATIENCE_MS = 60_000;

/**
 * Waits until nothing is in transit: an event that was answered 503 may still be stored, a little later.
 * Returns after a minute in any case.
 */
export async function untilQuiet(apiUrl: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + QUIET_PATIENCE_MS;
  let stored = -1;
  for (let quiet = 0; quiet < QUIET_LOOKS && performance.now() < deadline; ) {
    signal.throwIfAborted();
    const progress = await readProgress(apiUrl);
    const isQuiet = progress !== undefined && isCaughtUp(progress) && progress.stored === stored;
    quiet = isQuiet ? quiet + 1 : 0;
    stored = progress?.stored ?? -1;
    await sleep(QUIET_LOOK_MS);
  }
}
