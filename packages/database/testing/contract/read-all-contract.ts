import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { EventStore, ReadAllRequest } from "../../src/index.ts";
import { noteEvents } from "../test-events.ts";
import type { ContractTest } from "./contract-tests.ts";
import { endOf, readFrom, seedHistory } from "./history.ts";

/** `readAll`: the events after a position, in order. */
export function readAllContract(test: ContractTest): void {
  test("returns all events in the order of positions, for any page size", async (store) => {
    const start = await endOf(store);
    await seedHistory(store);
    const all = (await readFrom(store, start)).map((event) => event.position);
    expect(all).toHaveLength(300);
    expect(all).toEqual([...new Set(all)].sort((one, other) => one - other));
    for (const limit of [1, 7, 40, 10_000]) expect(await readOn(store, start, { limit })).toEqual(all);
  });

  test("returns only the requested events, by type, aggregate type and stream, and moves past the others", async (store) => {
    const start = await endOf(store);
    const aggregateId = randomUUID();
    await store.appendBatch(
      noteEvents(200, (index) => ({
        ...(index % 3 === 0 && { type: "note.creation.completed" }),
        ...(index % 7 === 0 && { aggregateId }),
      })),
    );
    const all = await readFrom(store, start);
    const positions = (is: (event: (typeof all)[number]) => boolean) =>
      all.filter(is).map((event) => event.position);
    const stream = { aggregateType: "note", aggregateId };
    for (const limit of [1, 13, 1000]) {
      const read = (filter: Partial<ReadAllRequest>) => readOn(store, start, { limit, ...filter });
      const types = ["note.creation.completed"];
      expect(await read({ types })).toEqual(positions((event) => types.includes(event.type)));
      expect(await read({ stream })).toEqual(positions((event) => event.aggregateId === aggregateId));
      expect(await read({ types, stream })).toEqual(
        positions((event) => event.aggregateId === aggregateId && types.includes(event.type)),
      );
      expect(await read({ aggregateType: "note" })).toEqual(positions(() => true));
      expect(await read({ aggregateType: "task" })).toEqual([]);
    }
    const nothing = await store.readAll({ after: start, limit: 5, types: ["no.such.type"] });
    expect(nothing).toMatchObject({ events: [], caughtUp: true, position: nothing.watermark });
  });

  test("reports that it has caught up when nothing is new, and refuses a position that it never had", async (store) => {
    await store.appendBatch(noteEvents(3));
    const end = await endOf(store);
    const again = await store.readAll({ after: end, limit: 10 });
    expect(again).toEqual({ events: [], position: end, watermark: end, caughtUp: true });
    const position = end + 5_000_000;
    await expect(store.readAll({ after: position, limit: 10 })).rejects.toMatchObject({
      code: "POSITION_LOST",
      position,
      resumeAfter: end,
    });
    await expect(store.readAll({ after: 0, limit: 0 })).rejects.toThrow(RangeError);
    await expect(store.readAll({ after: 0, limit: 10_001 })).rejects.toThrow(RangeError);
  });
}

async function readOn(
  store: EventStore,
  start: number,
  how: Omit<ReadAllRequest, "after">,
): Promise<number[]> {
  const positions: number[] = [];
  for (let after = start; ; ) {
    const page = await store.readAll({ after, ...how });
    expect(page.events.length).toBeLessThanOrEqual(how.limit);
    positions.push(...page.events.map((event) => event.position));
    after = page.position;
    if (page.caughtUp) return positions;
  }
}
