import { setTimeout as sleep } from "node:timers/promises";
import type { EventStore } from "@synap/database";
import { isUnavailable } from "@synap/database/internal";
import type { Random } from "./random.ts";
import type { ReaderJournal } from "./reader-journal.ts";
import { END_MARKER } from "./stress-events.ts";
import type { ReaderRole } from "./stress-plan.ts";

export interface ReaderWork {
  readonly role: ReaderRole;
  readonly store: EventStore;
  readonly journal: ReaderJournal;
  readonly random: Random;
  /** Resolves when writing has ended: a delayed reader starts now. */
  readonly hurry: AbortSignal;
  readonly onRead: (events: number) => void;
}

/** Subscribes, records every event, and ends with an end marker. */
export async function runReader({ role, store, journal, random, hurry, onRead }: ReaderWork): Promise<void> {
  if (journal.checkpoint === undefined) {
    await sleep(role.delayMs, undefined, { signal: hurry }).catch(() => undefined);
    // The exact position rather than "now", because the report must know which events this reader should get.
    const { watermark } = await store.readAll({ after: Number.MAX_SAFE_INTEGER, limit: 1 });
    journal.begin(role.from === "start" ? 0 : watermark);
  }
  for (;;) {
    try {
      if (await follow({ role, store, journal, random, hurry, onRead })) return;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      await sleep(250);
    }
  }
}

/** @returns whether it came to the end */
async function follow({ role, store, journal, random, onRead }: ReaderWork): Promise<boolean> {
  const subscription = store.subscribeToAll({
    from: journal.checkpoint ?? 0,
    batchSize: random.pick([1, 7, 50, 500, 500]),
    aggregateType: role.aggregateType,
  });
  let batches = 0;
  for await (const batch of subscription) {
    // A reader with small batches soon falls behind; one that restarts from its checkpoint tests something else.
    journal.write(batch);
    onRead(batch.events.length);
    if (batch.events.some(({ aggregateId }) => aggregateId === END_MARKER.stream.aggregateId)) return true;
    if (random.happens(0.05)) await sleep(random.pause(50));
    batches += 1;
    if (batches > 50 && random.happens(0.02)) return false;
  }
  return false;
}
