import { seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import { describeEventStore, describeOnEveryEngine } from "../testing/index.ts";
import { noteEvent } from "../testing/test-events.ts";
import { createEventStore, createMemoryEventStore } from "./internal.ts";

describe("the event store in memory", () => {
  describeEventStore({ create: () => createMemoryEventStore({ catalogue: seedCatalogue }) });

  it("protects stored events from changes through the objects it returned", async () => {
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
});
