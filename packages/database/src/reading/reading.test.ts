import { seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { createEventStore } from "../index.ts";

// What reading promises of any store is in the contract (testing/contract).
describeOnEveryEngine("reading in a database", (engine) => {
  it("leaves out, inside a transaction, what that transaction has appended", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const { position } = await store.readAll({ after: 0, limit: 10_000 });
    await engine.database.transaction(async (transaction) => {
      await store.append(noteEvent(), { transaction });
      expect((await store.readAll({ after: position, limit: 10, transaction })).events).toEqual([]);
    });
    expect((await store.readAll({ after: position, limit: 10 })).events).toHaveLength(1);
  });
});
