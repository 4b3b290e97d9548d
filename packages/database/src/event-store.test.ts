import { seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import { describeEventStore, describeOnEveryEngine } from "../testing/index.ts";
import { noteEvent } from "../testing/test-events.ts";
import { createEventStore, createMemoryEventStore, openEventStore } from "./index.ts";

describe("the event store in memory", () => {
  describeEventStore({ create: () => createMemoryEventStore({ catalogue: seedCatalogue }) });

  it("refuses a transaction, which it could not keep", async () => {
    const { store } = await openEventStore({ storage: "memory", catalogue: seedCatalogue });
    const onAppend = { handles: () => true, run: async () => {} };
    await expect(openEventStore({ storage: "memory", catalogue: seedCatalogue, onAppend })).rejects.toThrow(
      TypeError,
    );
    expect((await store.append(noteEvent())).status).toBe("stored");
  });

  it("keeps what it stored from being changed, also through what it gave out", async () => {
    const store = createMemoryEventStore({ catalogue: seedCatalogue });
    const data = { content: "before" };
    const event = noteEvent({ data });
    await store.append(event);
    data.content = "after";
    const stored = await store.getById(event.id);
    expect(stored?.data).toEqual({ content: "before" });
    expect(Object.isFrozen(stored?.data)).toBe(true);
  });
});

describeOnEveryEngine("the event store in a database", (engine) => {
  describeEventStore({
    create: () => createEventStore({ database: engine.database, catalogue: seedCatalogue }),
  });

  it.runIf(engine.engine === "server")(
    "is opened by configuration, on a schema that is brought up to date",
    async () => {
      const { options } = engine.testDatabase;
      if (!("url" in options)) return;
      const open = await openEventStore({ storage: options, catalogue: seedCatalogue });
      expect((await open.store.append(noteEvent())).status).toBe("stored");
      await open.close();
    },
  );
});
