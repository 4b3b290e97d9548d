import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { createEventStore } from "../postgres-event-store.ts";
import { takenStreams } from "./taken-streams.ts";

describeOnEveryEngine("the streams that a caller does not see", (engine) => {
  it("are those whose first event is another's, or nobody's, and not those that nobody has", async () => {
    const { database } = engine;
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const owners = {
      ann: { userId: "ann", createdBy: "user:ann" },
      bob: { userId: "bob", createdBy: "user:bob" },
      planner: { createdBy: "agent:planner" },
      plannerForAnn: { userId: "ann", createdBy: "agent:planner" },
      nobody: { createdBy: "system" },
    };
    const run = randomUUID();
    const named = (name: string) => ({ aggregateType: "note", aggregateId: `${run} {"${name}",\\` });
    const names = [...Object.keys(owners), "unused"];
    for (const [name, fields] of Object.entries(owners)) {
      await store.append(noteEvent({ ...named(name), ...fields }));
      // A later event of somebody else does not change the owner.
      await store.append(noteEvent({ ...named(name), userId: "eve", createdBy: "user:eve" }));
    }
    const streams = [...names, ...names].map(named);
    const taken = async (visibility: Parameters<typeof takenStreams>[1]) => {
      const keys = await takenStreams(database, visibility, streams);
      return names.filter((name) => keys.has(streamKey(named(name))));
    };
    expect(await taken({ userId: "ann" })).toEqual(["bob", "planner", "nobody"]);
    expect(await taken({ createdBy: "agent:planner" })).toEqual(["ann", "bob", "nobody"]);
    expect(await taken({ userId: "eve" })).toEqual(Object.keys(owners));
    expect(await takenStreams(database, { userId: "ann" }, [])).toEqual(new Set());
    expect(() => store.visibleTo({ userId: "" })).toThrow(RangeError);
  });
});
