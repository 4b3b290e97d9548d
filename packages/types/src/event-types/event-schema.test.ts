import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createEventCatalogue, seedCatalogue } from "../index.ts";

const { eventSchema } = seedCatalogue;

describe("the Zod union of a catalogue's events", () => {
  it("has one member for each event type, discriminated by the type", () => {
    expect(eventSchema.options).toHaveLength(seedCatalogue.types.length);
    expect(eventSchema.def.discriminator).toBe("type");
  });

  it.each(seedCatalogue.types)("accepts $name as createSynapEvent creates it, unchanged", (definition) => {
    const event = seedCatalogue.completeEvent({ type: definition.name, data: definition.example });
    expect(eventSchema.parse(event)).toEqual(event);
  });

  const note = seedCatalogue.createSynapEvent({
    type: "note.creation.requested",
    data: { content: "Hello" },
  });
  const issuesOf = (event: object) =>
    eventSchema.safeParse(event).error?.issues.map(({ code, path }) => ({ code, path: path.join(".") }));

  it("names a misspelt field of the data", () => {
    expect(issuesOf({ ...note, data: { contents: "Hello" } })).toEqual([
      { code: "invalid_type", path: "data.content" },
      { code: "unrecognized_keys", path: "data" },
    ]);
  });

  it("names an unknown type, the data of another type, and an aggregate type that isn't the event type's", () => {
    expect(issuesOf({ ...note, type: "note.creation.request" })).toEqual([
      { code: "invalid_union", path: "type" },
    ]);
    expect(issuesOf({ ...note, type: "note.creation.completed", data: { size: 1 } })).toContainEqual({
      code: "invalid_type",
      path: "data.content",
    });
    expect(issuesOf({ ...note, aggregateType: "task" })).toEqual([
      { code: "invalid_value", path: "aggregateType" },
    ]);
  });

  it("can be converted to JSON Schema", () => {
    const { oneOf } = z.toJSONSchema(eventSchema);
    expect(oneOf).toHaveLength(seedCatalogue.types.length);
  });

  it("is created once, and covers the types by which a catalogue was extended", () => {
    expect(seedCatalogue.eventSchema).toBe(eventSchema);
    const [first] = seedCatalogue.types;
    expect(createEventCatalogue(first === undefined ? [] : [first]).eventSchema.options).toHaveLength(1);
    expect(() => createEventCatalogue([]).eventSchema).toThrow("without event types");
  });
});
