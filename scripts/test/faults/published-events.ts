import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { EventInput, JsonObject } from "@synap/types";

/** An event of the fault tests: complete, so that it is the same however often it is sent. */
export type PublishedEvent = EventInput<string, JsonObject> & {
  readonly id: string;
  readonly aggregateId: string;
};

/** Streams that share the events; each note has one of its own. */
const STREAMS = 200;
/** Every how many events one is a note, to which a handler reacts with a further event. */
const NOTE_EVERY = 20;

/** Events with ids of their own: price changes of 200 products, and one note in twenty. */
export function makeEvents(count: number): PublishedEvent[] {
  const timestamp = new Date().toISOString();
  return Array.from({ length: count }, (_, index) => {
    const id = randomUUID();
    if (index % NOTE_EVERY === 0) {
      return {
        id,
        timestamp,
        type: "note.creation.requested",
        aggregateId: id,
        data: { content: `note ${index}` },
      };
    }
    const data = { oldPrice: index, newPrice: index + 1 };
    return { id, timestamp, type: "product.price_changed", aggregateId: `product-${index % STREAMS}`, data };
  });
}

/** Writes events as an NDJSON file. */
export function writeEvents(path: string, events: readonly PublishedEvent[]): void {
  writeFileSync(path, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}
