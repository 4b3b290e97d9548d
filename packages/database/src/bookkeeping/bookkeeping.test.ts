import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import {
  createEventStore,
  listDeadLetters,
  lockCheckpoint,
  readCheckpoint,
  recordDeadLetter,
  saveCheckpoint,
  storeStatistics,
} from "../internal.ts";

describeOnEveryEngine("bookkeeping", (engine) => {
  it("saves a handler's checkpoint, initially 0, in the transaction of its work", async () => {
    const handler = randomUUID();
    expect(await readCheckpoint(engine.database, handler)).toBe(0);
    await engine.database.transaction(async (transaction) => {
      expect(await lockCheckpoint(transaction, handler)).toBe(0);
      await saveCheckpoint(transaction, handler, 2048);
    });
    expect(await readCheckpoint(engine.database, handler)).toBe(2048);
    const failed = engine.database.transaction(async (transaction) => {
      await saveCheckpoint(transaction, handler, 4096);
      throw new Error("the work failed");
    });
    await expect(failed).rejects.toThrow();
    expect(await readCheckpoint(engine.database, handler)).toBe(2048);
  });

  it.runIf(engine.engine === "server")(
    "gives a checkpoint to one worker at a time, without waiting",
    async () => {
      const handler = randomUUID();
      await saveCheckpoint(engine.database, handler, 7);
      await engine.database.transaction(async (first) => {
        expect(await lockCheckpoint(first, handler)).toBe(7);
        const second = await engine.database.transaction((transaction) =>
          lockCheckpoint(transaction, handler),
        );
        expect(second).toBeUndefined();
      });
      expect(await engine.database.transaction((transaction) => lockCheckpoint(transaction, handler))).toBe(
        7,
      );
    },
  );

  it("keeps one dead letter per event and handler, and counts the attempts", async () => {
    const handler = randomUUID();
    const event = noteEvent();
    const deadLetter = { handler, event, position: 5, code: "handler-failed", reason: "first", attempts: 3 };
    const { id } = await recordDeadLetter(engine.database, deadLetter);
    const second = { ...deadLetter, reason: "second", attempts: 1 };
    expect(await recordDeadLetter(engine.database, second)).toEqual({ id, status: "open" });
    expect(await listDeadLetters(engine.database, { handler })).toMatchObject([
      { id, event, eventId: event.id, position: 5, reason: "second", attempts: 4, status: "open" },
    ]);
    expect(await listDeadLetters(engine.database, { handler, status: "skipped" })).toEqual([]);
  });

  it("keeps values that PostgreSQL's types refuse, and values that are not events, unchanged", async () => {
    const handler = randomUUID();
    const unusual = [
      "\0",
      "\ud800",
      { id: "a\0b", data: { text: "\0 \udfff" } },
      null,
      7,
      { id: "x".repeat(500) },
    ];
    for (const event of unusual) {
      await recordDeadLetter(engine.database, {
        handler,
        event,
        code: "c",
        reason: "a\0b \ud800",
        attempts: 1,
      });
    }
    const deadLetters = await listDeadLetters(engine.database, { handler });
    expect(deadLetters.map((deadLetter) => deadLetter.event).reverse()).toEqual(unusual);
  });

  it("reports the number of stored events and the lag of each handler", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const before = await storeStatistics(engine.database);
    const outcomes = await store.appendBatch(noteEvents(10, () => ({ aggregateId: "statistics" })));
    const third = outcomes[2]?.status === "stored" ? outcomes[2].position : 0;
    await saveCheckpoint(engine.database, "statistics", third);
    const after = await storeStatistics(engine.database);
    expect(after.events.stored - before.events.stored).toBe(10);
    expect(after.events.streams - before.events.streams).toBe(1);
    expect(after.events.watermark).toBeGreaterThanOrEqual(after.events.lastPosition);
    expect(after.handlers.find((handler) => handler.name === "statistics")).toMatchObject({
      checkpoint: third,
      lag: 7,
    });
    expect(after.databaseSize).toBeGreaterThan(1_000_000);
  });
});
