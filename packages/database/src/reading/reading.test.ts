import { seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { createEventStore } from "../internal.ts";

// The contract for every store is in testing/contract.
describeOnEveryEngine("reading in a database", (engine) => {
  it("omits, inside a transaction, the events that the transaction has appended", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const { position } = await store.readAll({ after: 0, limit: 10_000 });
    await engine.database.transaction(async (transaction) => {
      await store.append(noteEvent(), { transaction });
      expect((await store.readAll({ after: position, limit: 10, transaction })).events).toEqual([]);
    });
    expect((await store.readAll({ after: position, limit: 10 })).events).toHaveLength(1);
  });

  it("returns old events among recent ones in order, inside a transaction and outside", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const { position } = await store.readAll({ after: 0, limit: 10_000 });
    const now = Date.now();
    const events = [0, 400, 1, 90, 0].map((days) =>
      noteEvent({ timestamp: new Date(now - days * 86_400_000).toISOString() }),
    );
    for (const event of events) await store.append(event, { timestamps: "backfill" });
    const ids = events.map(({ id }) => id);
    const types = ["note.creation.requested", "note.creation.completed"];

    await engine.database.transaction(async (transaction) => {
      for (const filter of [{}, { types }, { aggregateType: "note" }]) {
        const read = { after: position, limit: 100, ...filter };
        expect((await store.readAll({ ...read, transaction })).events.map(({ id }) => id)).toEqual(ids);
      }
      // Later statements on the same connection are planned as before.
      const [setting] = await transaction.query("SELECT current_setting('plan_cache_mode') AS mode");
      const mode = engine.database.engine === "server" ? "force_custom_plan" : "auto";
      expect(setting).toEqual({ mode });
    });
    const page = await store.readAll({ after: position, limit: 3, types });
    expect(page.events.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    const rest = await store.readAll({ after: page.position, limit: 100 });
    expect(rest.events.map(({ id }) => id)).toEqual(ids.slice(3));
  });
});
