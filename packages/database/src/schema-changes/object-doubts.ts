import type { Comparing } from "./find-doubts.ts";
import { asSchema, type JsonSchema, listOf, objectOf, type SchemaObject } from "./json-schema.ts";
import { mergeSchemas } from "./merge-schemas.ts";
import { type Doubt, fieldOf, otherFieldOf, type Place } from "./place.ts";
import { type PartPair, samplesWith } from "./scalar-doubts.ts";

/** The doubts about objects: which fields they must have, which they may have, and what is in each. */
export function checkObject(comparing: Comparing, pair: PartPair): readonly Doubt[] {
  const { from, to, place } = pair;
  const hasPatterns = [from, to].some((each) => Object.keys(objectOf(each["patternProperties"])).length > 0);
  const doubts = [...missingFields(comparing, pair), ...countDoubts(comparing, pair)];
  // A field that the one names may be one of the other's patterns, also where both have the same patterns.
  if (hasPatterns)
    return [
      ...doubts,
      comparing.doubt(
        place,
        {
          keyword: "patternProperties",
          reason: "fields by patterns of names are not compared in their parts",
        },
        () => samplesWith(comparing.sampler, from, {}),
      ),
    ];
  return [...doubts, ...fieldDoubts(comparing, pair), ...nameDoubts(comparing, pair)];
}

function missingFields({ sampler, doubt }: Comparing, { from, to, place }: PartPair): readonly Doubt[] {
  const given = listOf(from["required"]);
  return listOf(to["required"])
    .filter((name) => !given.includes(name))
    .map(String)
    .map((name) =>
      doubt(
        { ...place, pointer: fieldOf(place, name, from, sampler).pointer },
        { keyword: "required", reason: "it must be given" },
        function* () {
          for (const value of samplesWith(sampler, from, {})) yield withoutField(value, name);
        },
      ),
    );
}

function withoutField(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}

/** The fields that one of the two names, and all others. */
function fieldDoubts({ sampler, compare }: Comparing, { from, to, place }: PartPair): readonly Doubt[] {
  const [own, other] = [objectOf(from["properties"]), objectOf(to["properties"])];
  const names = new Set([...Object.keys(own), ...Object.keys(other)]);
  const doubts = [...names].flatMap((name) => {
    if (!mayHave(from, name)) return [];
    return compare(fieldAt(from, name), fieldAt(to, name), fieldOf(place, name, from, sampler));
  });
  const fresh = ["other", "another", "other_field", "x1"].find((name) => !names.has(name)) ?? "x-2";
  const at: Place = otherFieldOf(place, freshName(sampler, from) ?? fresh, from, sampler);
  return [...doubts, ...compare(additionalOf(from), additionalOf(to), at)];
}

/** False if the names of fields exclude this one. */
function mayHave(schema: SchemaObject, name: string): boolean {
  const values = listOf(objectOf(schema["propertyNames"])["enum"]);
  return values.length === 0 || values.includes(name);
}

function fieldAt(schema: SchemaObject, name: string): JsonSchema {
  const properties = objectOf(schema["properties"]);
  return Object.hasOwn(properties, name) ? asSchema(properties[name]) : additionalOf(schema);
}

function additionalOf(schema: SchemaObject): JsonSchema {
  return asSchema(schema["additionalProperties"] ?? true);
}

/** A name that objects of the schema may have, where it says which names they have. */
function freshName(sampler: Comparing["sampler"], from: SchemaObject): string | undefined {
  if (from["propertyNames"] === undefined) return undefined;
  try {
    return String(sampler.smallest(mergeSchemas([{ type: "string" }, asSchema(from["propertyNames"])])));
  } catch {
    return undefined;
  }
}

function nameDoubts(
  { accepts, compare, sampler }: Comparing,
  { from, to, place }: PartPair,
): readonly Doubt[] {
  if (to["propertyNames"] === undefined) return [];
  const names = asSchema(to["propertyNames"]);
  const properties = objectOf(from["properties"]);
  const isClosed = additionalOf(from) === false && from["patternProperties"] === undefined;
  if (isClosed && Object.keys(properties).every((name) => properties[name] === false || accepts(names, name)))
    return [];
  const at: Place = {
    pointer: `${place.pointer}/*`,
    depth: place.depth + 1,
    embed: (name) =>
      otherFieldOf(place, String(name), from, sampler).embed(sampler.smallest(fieldAt(from, String(name)))),
  };
  const own = mergeSchemas([{ type: "string" }, asSchema(from["propertyNames"] ?? true)]);
  return compare(own, names, at).map((doubt) => ({
    ...doubt,
    reason: `the name of a field: ${doubt.reason}`,
  }));
}

function countDoubts({ sampler, doubt }: Comparing, { from, to, place }: PartPair): readonly Doubt[] {
  const doubts: Doubt[] = [];
  const { minProperties, maxProperties } = to;
  const least = Math.max(numberOf(from["minProperties"], 0), new Set(listOf(from["required"])).size);
  const isClosed = additionalOf(from) === false && from["patternProperties"] === undefined;
  const named = isClosed ? Object.keys(objectOf(from["properties"])).length : Number.POSITIVE_INFINITY;
  const most = Math.min(numberOf(from["maxProperties"], Number.POSITIVE_INFINITY), named);
  if (typeof minProperties === "number" && least < minProperties)
    doubts.push(
      doubt(
        place,
        { keyword: "minProperties", reason: `it must have at least ${minProperties} fields` },
        () => samplesWith(sampler, from, {}),
      ),
    );
  if (typeof maxProperties === "number" && most > maxProperties)
    doubts.push(
      doubt(place, { keyword: "maxProperties", reason: `it must have at most ${maxProperties} fields` }, () =>
        samplesWith(sampler, from, { minProperties: maxProperties + 1 }),
      ),
    );
  return doubts;
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
