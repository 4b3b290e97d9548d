import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { toJSONSchema } from "zod";
import { checkJson } from "../json/check-json.ts";
import { originalEventTypes } from "./original.ts";
import { seedCatalogue, seedEventTypes } from "./seed-catalogue.ts";

const families = (types: readonly { name: string }[]) => new Set(types.map(({ name }) => name.split(".")[0]));

describe("the seed catalogue", () => {
  it("has the documented families, with at least 24 types", () => {
    expect(seedEventTypes.length).toBeGreaterThanOrEqual(24);
    for (const family of ["product", "order", "customer", "dealer", "agent", "note", "invoice"]) {
      expect(families(seedEventTypes)).toContain(family);
    }
  });

  it.each(seedEventTypes.map((definition) => [definition.name, definition] as const))(
    "%s has a description, a valid example, and a strict schema with a JSON Schema",
    (name, definition) => {
      expect(definition.description).toMatch(/^[A-Z].{10,}\.$/);
      expect(seedCatalogue.validateEventData(name, definition.example)).toBe(definition.example);
      expect(checkJson(definition.example)).toEqual([]);
      const misspelt = { ...definition.example, misspeltField: 1 };
      expect(() => seedCatalogue.validateEventData(name, misspelt)).toThrow("data.misspeltField");
      for (const form of formsOf(toJSONSchema(definition.schema)))
        expect(form).toMatchObject({ type: "object", additionalProperties: false });
      expect(JSON.parse(JSON.stringify(definition.jsonSchema))).toEqual(definition.jsonSchema);
    },
  );

  it("names data fields in camelCase, but for the types of the original documents", () => {
    const originals: readonly string[] = originalEventTypes.map(({ name }) => name);
    for (const { name, jsonSchema } of seedEventTypes) {
      if (originals.includes(name)) continue;
      for (const field of propertyNames(formsOf(jsonSchema)[0] ?? {}))
        expect(field, name).toMatch(/^[a-z][A-Za-z0-9]*$/);
    }
  });

  it("is described in docs/event-types.md, type by type", async () => {
    const page = await readFile(new URL("../../../../docs/event-types.md", import.meta.url), "utf8");
    const rows = page
      .split("\n")
      .map((line) => line.split("|").map((cell) => cell.trim()))
      .filter(([, type = ""]) => /^`[a-z_]+\.[a-z_.]+`$/.test(type))
      .map((cells) => cells.slice(1, -1));
    const expected = seedEventTypes.map(({ name, description, jsonSchema }) => [
      `\`${name}\``,
      description,
      describeFields(formsOf(jsonSchema)[0] ?? {}),
    ]);
    expect(rows).toEqual(expected);
  });
});

interface ObjectSchema {
  readonly properties?: Record<string, ObjectSchema>;
  readonly items?: ObjectSchema;
  readonly required?: readonly string[];
}

/** The forms that data may have, the preferred one first. */
function formsOf(schema: object): ObjectSchema[] {
  return "anyOf" in schema && Array.isArray(schema.anyOf) ? schema.anyOf : [schema];
}

function propertyNames(schema: ObjectSchema): string[] {
  const own = Object.entries(schema.properties ?? {});
  const inner = [...own.map(([, property]) => property), ...(schema.items ? [schema.items] : [])];
  return [...own.map(([name]) => name), ...inner.flatMap(propertyNames)];
}

/** The fields of the data, the optional ones with a question mark. */
function describeFields({ properties = {}, required = [] }: ObjectSchema): string {
  return Object.keys(properties)
    .map((name) => `\`${name}${required.includes(name) ? "" : "?"}\``)
    .join(", ");
}
