import { randomUUID } from "node:crypto";
import { type SynapEvent, seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import { describeOnEveryEngine } from "../testing/index.ts";
import { noteEvent, noteEvents } from "../testing/test-events.ts";
import { type AppendHook, createEventStore } from "./internal.ts";

describeOnEveryEngine("the event store", (engine) => {
  const open = (run?: AppendHook["run"], handles: AppendHook["handles"] = () => true) =>
    createEventStore({
      database: engine.database,
      catalogue: seedCatalogue,
      onAppend: run && { run, handles },
    });

  it("leaves no trace of a stream that received only duplicates", async () => {
    const event = noteEvent();
    await open().append(event);
    const aggregateId = randomUUID();
    await open().append({ ...event, aggregateId });
    const rows = await engine.database.query("SELECT FROM synap.streams WHERE aggregate_id = $1", [
      aggregateId,
    ]);
    expect(rows).toEqual([]);
  });

  describe("in a transaction", () => {
    it("stores if and when the caller's transaction commits", async () => {
      const [kept, dropped] = [noteEvent(), noteEvent()];
      await engine.database.transaction((transaction) => open().append(kept, { transaction }));
      const failing = engine.database.transaction(async (transaction) => {
        await open().append(dropped, { transaction });
        throw new Error("changed my mind");
      });
      await expect(failing).rejects.toThrow("changed my mind");
      expect(await open().getById(kept.id)).toBeDefined();
      expect(await open().getById(dropped.id)).toBeUndefined();
    });

    it("passes the stored events to the hook, and rolls back when it fails", async () => {
      const seen: (readonly SynapEvent[])[] = [];
      const event = noteEvent();
      const outcomes = await open(async (transaction, events) => {
        expect(await transaction.query("SELECT FROM synap.event_ids WHERE id = $1", [event.id])).toHaveLength(
          1,
        );
        seen.push(events);
      }).appendBatch([event, event, noteEvent({ type: "no.such.type" })]);
      expect(seen).toEqual([
        [expect.objectContaining({ id: event.id, streamVersion: 1, position: expect.any(Number) })],
      ]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual(["stored", "duplicate", "rejected"]);

      const lost = noteEvent();
      const failing = open(() => Promise.reject(new Error("no projection"))).append(lost);
      await expect(failing).rejects.toThrow("no projection");
      expect(await open().getById(lost.id)).toBeUndefined();
    });

    it("passes whole appends to the hook if it wants any of their events, and no others", async () => {
      const seen: string[][] = [];
      const store = open(
        async (_, events) => void seen.push(events.map(({ id }) => id)),
        (type) => type === "note.creation.completed",
      );
      const [alone, first] = [noteEvent(), noteEvent()];
      const second = noteEvent({ type: "note.creation.completed", aggregateId: first.aggregateId });
      await store.append(alone);
      await store.appendBatch([first, second]);
      expect(seen).toEqual([[first.id, second.id]]);
      expect(await store.getById(alone.id)).toBeDefined();
    });
  });

  it("rejects only the event that PostgreSQL refuses, with and without the caller's transaction", async () => {
    await engine.database.asOwner((tx) =>
      tx.execute("ALTER TABLE synap.events ADD CONSTRAINT no_poison CHECK (data ->> 'content' <> 'poison')"),
    );
    const batch = () => noteEvents(9, (index) => (index === 5 ? { data: { content: "poison" } } : {}));
    const expected = Array.from({ length: 9 }, (_, index) => (index === 5 ? "rejected" : "stored"));
    const alone = await open().appendBatch(batch());
    expect(alone.map((outcome) => outcome.status)).toEqual(expected);
    expect(alone[5]).toMatchObject({
      issues: [{ code: "refused-by-database", reason: expect.stringContaining("23514") }],
    });
    const inside = await engine.database.transaction((transaction) =>
      open().appendBatch(batch(), { transaction }),
    );
    expect(inside.map((outcome) => outcome.status)).toEqual(expected);
    await engine.database.asOwner((tx) => tx.execute("ALTER TABLE synap.events DROP CONSTRAINT no_poison"));
  });
});
