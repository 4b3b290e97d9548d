import { randomUUID } from "node:crypto";
import type { StoredEvent, SynapEvent } from "@synap/types";
import type { EventStore } from "../../src/index.ts";
import { noteEvents } from "../test-events.ts";

/** Ids of events that caused those of the history. */
export const CAUSES = [1, 2, 3, 4].map((number) => `0190b5a8-7c00-7000-8000-00000000000${number}`);

/** A day in milliseconds. */
export const DAY = 86_400_000;

/**
 * Stores 300 events over ten days, many in the same millisecond, in appends of different sizes, not in the order of time.
 * Returns all events of the store, by position.
 */
export async function seedHistory(store: EventStore): Promise<StoredEvent[]> {
  const noon = Math.floor(Date.now() / DAY) * DAY - 12 * 3_600_000;
  const run = randomUUID();
  const events = noteEvents(
    300,
    (index): Partial<SynapEvent> => ({
      timestamp: new Date(noon - ((index * 7) % 10) * DAY + (index % 3)).toISOString(),
      aggregateId: index % 2 === 0 ? `note ${index % 7}` : `${run} ${index % 7}`,
      ...(index % 2 === 0 && { userId: `user ${index % 4}` }),
      ...(index % 5 === 0 && { correlationId: "flow" }),
      ...(index % 3 === 0 && { type: "note.creation.completed" }),
      ...(index % 4 === 1 && { createdBy: `agent:${index % 3}`, source: `source ${index % 2}` }),
      ...(index % 6 === 2 && { causationId: CAUSES[index % 4] ?? "" }),
      ...(index % 7 === 3 && { validFrom: new Date(noon - 5 * DAY + index).toISOString() }),
      ...(index % 14 === 3 && { validTo: new Date(noon - 2 * DAY + index).toISOString() }),
      data: {
        content: `content ${index % 3}`,
        ...(index % 2 === 0 && { tags: ["even", `tag ${index % 5}`] }),
      },
    }),
  );
  for (let start = 0, size = 1; start < events.length; start += size, size = (size * 3) % 41) {
    await store.appendBatch(events.slice(start, start + size), { timestamps: "backfill" });
  }
  return readFrom(store, 0);
}

/** Reads all events after a position. */
export async function readFrom(store: EventStore, after: number): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (let position = after; ; ) {
    const page = await store.readAll({ after: position, limit: 1000 });
    events.push(...page.events);
    position = page.position;
    if (page.caughtUp) return events;
  }
}

/** Returns the current end position of the store. */
export async function endOf(store: EventStore): Promise<number> {
  return (await store.readAll({ after: Number.MAX_SAFE_INTEGER, limit: 1 })).watermark;
}
