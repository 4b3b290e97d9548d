import { describe, expect, it } from "vitest";
import { sampleDocuments } from "./compare-schemas.ts";
import type { JsonSchema } from "./json-schema.ts";
import { createRandom } from "./random.ts";
import { createSampler } from "./sample-values.ts";

/** An object with one field, whose samples are made. */
function samplesOf(field: JsonSchema, $defs: Readonly<Record<string, JsonSchema>> = {}): readonly unknown[] {
  const schema = { type: "object", properties: { v: field }, required: ["v"], $defs };
  return [...sampleDocuments(createSampler(schema, createRandom(1)), schema, 200)];
}

describe("samples of a schema", () => {
  it("are made of a long list", () => {
    const documents = samplesOf({ type: "array", minItems: 10_000, items: { type: "integer" } });
    expect(documents[0]).toMatchObject({ v: { length: 10_000 } });
  });

  it("are given up where they would have more values than there is time for", () => {
    const list = (items: JsonSchema) => ({ type: "array", minItems: 10_000, items });
    expect(samplesOf(list(list(list({ type: "integer" }))))).toEqual([]);
    const names = Array.from({ length: 40 }, (_, index) => `f${index}`);
    const fields = Object.fromEntries(names.map((name) => [name, { $ref: "#/$defs/tree" }]));
    const tree = { anyOf: [{ type: "object", properties: fields, required: names }, { type: "null" }] };
    expect(samplesOf({ $ref: "#/$defs/tree" }, { tree }).length).toBeLessThan(200);
  });

  it("are given up for a pattern whose nested repetitions double them at each level", () => {
    const pattern = `^${"(?:".repeat(60)}q${")+".repeat(60)}$`;
    expect(samplesOf({ type: "string", pattern })).toEqual([]);
  });
});
