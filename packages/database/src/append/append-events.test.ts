import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { countCalls } from "../../testing/count-calls.ts";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import { createEventStore } from "../internal.ts";

describeOnEveryEngine("an append", (engine) => {
  const open = () => {
    const { database, calls } = countCalls(engine.database);
    return { store: createEventStore({ database, catalogue: seedCatalogue }), calls };
  };
  const inputs = (count: number) => noteEvents(count).map(({ id, type, data }) => ({ id, type, data }));
  const newStream = () => ({ aggregateType: "note", aggregateId: randomUUID() });

  it.each([1, 100])("of %i new events at the wrong version is refused in one call", async (count) => {
    const { store, calls } = open();
    const stream = newStream();
    await store.appendToStream(stream, "no-stream", inputs(2));
    const before = calls.count;
    for (const expected of ["no-stream", 1, 3] as const) {
      await expect(store.appendToStream(stream, expected, inputs(count))).rejects.toMatchObject({
        code: "OPTIMISTIC_LOCK",
        expected,
        actual: 2,
      });
    }
    expect(calls.count - before).toBe(3);
  });

  it("that is repeated is answered in two calls, to a stream and as a batch", async () => {
    const { store, calls } = open();
    const stream = newStream();
    const events = inputs(3);
    const first = await store.appendToStream(stream, "no-stream", events);
    const batch = noteEvents(3);
    await store.appendBatch(batch);
    let before = calls.count;
    expect((await store.appendToStream(stream, "no-stream", events)).streamVersion).toBe(first.streamVersion);
    expect(calls.count - before).toBe(2);
    before = calls.count;
    const outcomes = await store.appendBatch(batch);
    expect(outcomes.map(({ status }) => status)).toEqual(["duplicate", "duplicate", "duplicate"]);
    expect(calls.count - before).toBe(2);
  });

  it("stores each event once when many senders append overlapping batches concurrently", async () => {
    const { store } = open();
    const events = noteEvents(30, (index) => ({ aggregateId: `${index % 3}-overlapping` }));
    const batches = Array.from({ length: 12 }, (_, number) =>
      events.filter((_, index) => (index + number) % 4 !== 0),
    );
    const outcomes = (await Promise.all(batches.map((batch) => store.appendBatch(batch)))).flat();
    expect(outcomes.filter(({ status }) => status === "rejected")).toEqual([]);
    const stored = outcomes.filter(({ status }) => status === "stored").map(({ id }) => id);
    expect(stored.sort()).toEqual(events.map(({ id }) => id).sort());
    for (const stream of [0, 1, 2]) {
      const page = await store.readStreamPage({
        aggregateType: "note",
        aggregateId: `${stream}-overlapping`,
      });
      expect(page.events.map(({ streamVersion }) => streamVersion)).toEqual(
        Array.from({ length: 10 }, (_, index) => index + 1),
      );
    }
  });

  it("in a transaction of the caller continues after events that are already stored", async () => {
    const { store } = open();
    const known = noteEvent();
    await store.append(known);
    const fresh = noteEvent();
    const outcomes = await engine.database.transaction((transaction) =>
      store.appendBatch([known, fresh, { ...known, data: { content: "other" } }], { transaction }),
    );
    expect(outcomes).toMatchObject([
      { status: "duplicate", id: known.id },
      { status: "stored", id: fresh.id },
      { status: "rejected", issues: [{ code: "event-id-conflict" }] },
    ]);
  });
});
