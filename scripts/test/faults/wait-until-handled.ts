import { setTimeout as sleep } from "node:timers/promises";
import { createSynapClient } from "@synap/client";
import { isCaughtUp, readProgress } from "../../src/processes/progress.ts";
import type { PublishedEvent } from "./published-events.ts";

const PAGE_SIZE = 1_000;

/**
 * Waits until each of the events is stored, no handler has any left to do, and nothing has changed for two seconds. The
 * stored events are compared by id: their number includes what the handlers append.
 *
 * @throws Error naming how many are not stored when they are not within `ms`
 */
export async function waitUntilHandled(
  url: string,
  accepted: readonly PublishedEvent[],
  ms = 240_000,
): Promise<void> {
  const deadline = performance.now() + ms;
  let last = "";
  let missing = accepted.length;
  for (let quietFor = 0; missing > 0; quietFor += 200) {
    await sleep(200);
    const progress = await readProgress(url);
    const now = JSON.stringify(progress) ?? "the API does not answer";
    const isDone = progress !== undefined && progress.stored >= accepted.length && isCaughtUp(progress);
    if (!isDone || now !== last) quietFor = 0;
    last = now;
    if (quietFor >= 2_000) {
      missing = await countMissing(url, accepted);
      quietFor = 0;
    }
    if (missing > 0 && performance.now() > deadline)
      throw new Error(
        `Not everything was stored and handled in ${ms / 1000} s: ${now}; ` +
          `${await countMissing(url, accepted)} of ${accepted.length} accepted events are not stored`,
      );
  }
}

async function countMissing(url: string, accepted: readonly PublishedEvent[]): Promise<number> {
  const missing = new Set(accepted.map(({ id }) => id));
  const client = createSynapClient({ url });
  for await (const { id } of client.query({ order: "asc", pageSize: PAGE_SIZE })) missing.delete(id);
  return missing.size;
}
