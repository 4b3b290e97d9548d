import { setTimeout as sleep } from "node:timers/promises";
import type { EventDispatcher } from "@synap/handlers/internal";

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/**
 * Waits until a handler, or the live build of a projection, has handled the events up to a position. Looks again at growing intervals,
 * because it may run in another process.
 * @throws UnknownNameError, and the signal's reason
 */
export async function waitForHandler(
  dispatcher: Pick<EventDispatcher, "handledPosition">,
  position: number,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 1.5)) {
    signal?.throwIfAborted();
    if ((await dispatcher.handledPosition(name)) >= position) return;
    await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}
