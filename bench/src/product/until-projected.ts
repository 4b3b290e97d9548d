import { setTimeout as sleep } from "node:timers/promises";
import { type ProductStatus, readStatus } from "./product-status.ts";

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
    const status: ProductStatus | undefined = await readStatus(apiUrl).catch(() => undefined);
    if (status !== undefined && status.projected >= events) return true;
    await sleep(LOOK_MS);
  }
  return false;
}
