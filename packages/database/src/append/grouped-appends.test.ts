import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { countCalls } from "../../testing/count-calls.ts";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import { createEventStore } from "../internal.ts";

describeOnEveryEngine("appends that come at the same time", (engine) => {
  const open = () => {
    const { database, calls } = countCalls(engine.database);
    return { store: createEventStore({ database, catalogue: seedCatalogue }), calls };
  };
  const newStream = () => ({ aggregateType: "note", aggregateId: randomUUID() });
  const input = (content: string, id: string = randomUUID()) => ({
    id,
    type: "note.creation.requested",
    data: { content },
  });

  it("share calls, whatever they expect of their streams, up to 256 in one", async () => {
    const { store, calls } = open();
    const busy = newStream();
    // The first event creates the chunk. Calls that wait for it longer than the short lock timeout would be sent again.
    await store.appendToStream(newStream(), "no-stream", [input("first")]);
    const before = calls.count;
    await Promise.all([
      ...noteEvents(100).map((event) => store.append(event)),
      ...Array.from({ length: 100 }, () => store.appendToStream(newStream(), "no-stream", [input("first")])),
      ...Array.from({ length: 100 }, () => store.appendToStream(busy, "any", [input("one"), input("two")])),
    ]);
    expect(calls.count - before).toBeLessThanOrEqual(6);
    expect((await store.getStream(busy))?.streamVersion).toBe(200);
  });

  it("have each its own outcome: a conflict, a closed stream, a duplicate and a refused event cost the others nothing", async () => {
    const { store, calls } = open();
    const [taken, closed, repeated] = [newStream(), newStream(), newStream()];
    const stored = input("stored");
    await store.appendToStream(taken, "no-stream", [input("first")]);
    await store.appendToStream(closed, "no-stream", [input("first")]);
    await store.closeStream(closed, 1);
    await store.appendToStream(repeated, "no-stream", [stored]);
    await engine.database.asOwner((tx) =>
      tx.execute("ALTER TABLE synap.events ADD CONSTRAINT no_poison CHECK (data ->> 'content' <> 'poison')"),
    );
    const before = calls.count;
    const others = () => noteEvents(20).map((event) => store.append(event));
    const appends = [
      ...others(),
      store.appendToStream(taken, "no-stream", [input("late")]),
      store.appendToStream(closed, "any", [input("late")]),
      store.appendToStream(repeated, "no-stream", [stored]),
      store.appendToStream(repeated, 1, [input("second")]),
      store.append(noteEvent({ id: stored.id, data: { content: "another" } })),
      ...others(),
    ];
    const settled = await Promise.allSettled(appends);
    const poisoned = await Promise.allSettled([
      ...others(),
      store.append(noteEvent({ data: { content: "poison" } })),
      ...others(),
    ]);
    await engine.database.asOwner((tx) => tx.execute("ALTER TABLE synap.events DROP CONSTRAINT no_poison"));

    const isStored = { status: "fulfilled", value: { status: "stored" } };
    expect(settled.slice(0, 20)).toMatchObject(Array.from({ length: 20 }, () => isStored));
    expect(settled.slice(20, 25)).toMatchObject([
      { status: "rejected", reason: { code: "OPTIMISTIC_LOCK", expected: "no-stream", actual: 1 } },
      { status: "rejected", reason: { code: "STREAM_CLOSED", stream: closed } },
      { status: "fulfilled", value: { streamVersion: 1, events: [{ duplicate: true }] } },
      { status: "fulfilled", value: { streamVersion: 2 } },
      { status: "fulfilled", value: { status: "rejected", issues: [{ code: "event-id-conflict" }] } },
    ]);
    expect(settled.slice(25)).toMatchObject(Array.from({ length: 20 }, () => isStored));
    expect(calls.count - before).toBeLessThan(80);
    expect(poisoned[20]).toMatchObject({ value: { issues: [{ code: "refused-by-database" }] } });
    expect(poisoned.toSpliced(20, 1)).toMatchObject(Array.from({ length: 40 }, () => isStored));
  });

  it("leave an append of many events, or of a large one, to a call of its own", async () => {
    const { store } = open();
    const stream = newStream();
    const many = Array.from({ length: 1_024 }, () => input("one of many"));
    const large = input("x".repeat(50_000));
    const all = await Promise.all([
      store.appendToStream(stream, "no-stream", many),
      store.appendToStream(newStream(), "no-stream", [large]),
      ...noteEvents(50).map((event) => store.append(event)),
    ]);
    expect(all).toHaveLength(52);
    expect((await store.getStream(stream))?.streamVersion).toBe(1_024);
  });

  it("use the sessions that the database has when they are sent", async () => {
    const [before, after] = [countCalls(engine.database), countCalls(engine.database)];
    let current = before.database;
    const database = Object.create(engine.database, { writes: { get: () => current.writes } });
    const store = createEventStore({ database, catalogue: seedCatalogue });
    await store.append(noteEvent());
    current = after.database;
    await store.append(noteEvent());
    expect([before.calls.count, after.calls.count]).toEqual([1, 1]);
  });
});
