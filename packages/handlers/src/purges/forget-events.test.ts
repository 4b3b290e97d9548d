import { purgeEvents } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, noteCreationRequested, seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { defineHandler, type PurgedEvent } from "../handler/event-handler.ts";

describeOnEveryEngine("handlers after a purge", (engine) => {
  const note = (stream: string) =>
    createSynapEvent({ type: "note.creation.requested", aggregateId: stream, data: { content: "Acme" } });

  it("are called once with the purged events of each purge, and again where that failed", async () => {
    const calls: (readonly PurgedEvent[])[] = [];
    let failures = 1;
    const handler = defineHandler({
      name: "copier",
      description: "Copies.",
      events: [noteCreationRequested],
      mode: "async",
      handle: async () => {},
      forget: async (events, { transaction }) => {
        await transaction.query("SELECT 1 AS one");
        calls.push(events);
        failures -= 1;
        if (failures >= 0) throw new Error("the other system is away");
      },
    });
    const without = defineHandler({
      name: "counter",
      description: "Copies nothing.",
      events: [noteCreationRequested],
      mode: "async",
      handle: async () => {},
    });
    const { database } = engine;
    const make = () =>
      new EventDispatcher({ database, catalogue: seedCatalogue, handlers: [handler, without] });
    const dispatcher = make();
    const positions: number[] = [];
    for (const stream of ["first", "second"]) {
      const outcome = await dispatcher.store.append(note(stream));
      if (outcome.status === "stored") positions.push(outcome.position);
      const selection = { stream: { aggregateType: "note", aggregateId: stream } };
      await purgeEvents(database, { selection, reason: "A test", by: "user:ops" });
    }
    const expected = ["first", "second"].map((aggregateId, index) => [
      { position: positions[index], streamVersion: 1, aggregateType: "note", aggregateId },
    ]);
    await expect(dispatcher.removePurgedCopies()).rejects.toThrow("the other system is away");
    const unfinished = () => database.query("SELECT FROM synap.purges WHERE finished_at IS NULL");
    expect(await unfinished()).toHaveLength(2);
    await Promise.all([make().removePurgedCopies(), make().removePurgedCopies()]);
    await make().removePurgedCopies();
    expect(calls).toEqual([expected[0], ...expected]);
    expect(await unfinished()).toEqual([]);
  });

  it("are not asked to forget what was removed because of its age", async () => {
    const forgotten: string[] = [];
    const handler = defineHandler({
      name: "sums",
      description: "Adds up.",
      events: [noteCreationRequested],
      mode: "async",
      handle: async () => {},
      forget: async (events) => void forgotten.push(...events.map(({ aggregateId }) => aggregateId)),
    });
    const { database } = engine;
    const dispatcher = new EventDispatcher({ database, catalogue: seedCatalogue, handlers: [handler] });
    for (const [aggregateId, keepsCopies] of [
      ["expired", true],
      ["purged", false],
    ] as const) {
      await dispatcher.store.append(note(aggregateId));
      const selection = { stream: { aggregateType: "note", aggregateId } };
      await purgeEvents(database, { selection, reason: "A test", by: "user:ops", keepsCopies });
    }
    await dispatcher.removePurgedCopies();
    expect(forgotten).toContain("purged");
    expect(forgotten).not.toContain("expired");
  });
});
