import type { Comparing } from "./find-doubts.ts";
import { isWhole, type SchemaObject } from "./json-schema.ts";
import { mergeSchemas } from "./merge-schemas.ts";
import type { Doubt, Place } from "./place.ts";
import { NoSampleError, patternsOf, type Sampler } from "./sample-values.ts";

/** Two schemas for values of one kind, at a place. */
export interface PartPair {
  readonly from: SchemaObject;
  readonly to: SchemaObject;
  readonly place: Place;
}

/** The doubts about texts. */
export function textDoubts({ sampler, doubt }: Comparing, { from, to, place }: PartPair): readonly Doubt[] {
  const doubts: Doubt[] = [];
  const add = (keyword: string, reason: string, values: () => Iterable<unknown>) =>
    doubts.push(doubt(place, { keyword, reason }, values));
  const { minLength, maxLength, pattern, format } = to;
  if (typeof minLength === "number" && !(numberOf(from["minLength"], 0) >= minLength))
    add("minLength", `it must have at least ${minLength} characters`, () =>
      samplesWith(sampler, from, { maxLength: minLength - 1 }),
    );
  if (typeof maxLength === "number" && !(numberOf(from["maxLength"], Number.POSITIVE_INFINITY) <= maxLength))
    add("maxLength", `it must have at most ${maxLength} characters`, () =>
      samplesWith(sampler, from, { minLength: maxLength + 1 }),
    );
  if (typeof pattern === "string" && !sourcesOf(from).includes(pattern))
    add("pattern", `it must match the pattern ${pattern}`, () => samplesWith(sampler, from, {}));
  if (typeof format === "string" && from["format"] !== format)
    add("format", `it must have the format ${format}`, () => samplesWith(sampler, from, {}));
  return doubts;
}

/** The patterns that a text is known to match, as they are written. */
function sourcesOf(schema: SchemaObject): readonly string[] {
  const parts: unknown[] = [schema, ...(Array.isArray(schema["allOf"]) ? schema["allOf"] : [])];
  const written = parts.flatMap((part) =>
    typeof part === "object" && part !== null ? [String(Reflect.get(part, "pattern"))] : [],
  );
  // JavaScript writes some sources in another way than they were given, so both are compared as given.
  return patternsOf(schema).length === 0 ? [] : written;
}

/** The doubts about numbers. */
export function numberDoubts({ sampler, doubt }: Comparing, { from, to, place }: PartPair): readonly Doubt[] {
  const doubts: Doubt[] = [];
  const add = (keyword: string, reason: string, values: () => Iterable<unknown>) =>
    doubts.push(doubt(place, { keyword, reason }, values));
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = to;
  const [low, high] = [lowOf(from), highOf(from)];
  if (typeof minimum === "number" && !(low.bound >= minimum))
    add("minimum", `it must be at least ${minimum}`, () =>
      numbersWith(sampler, from, { exclusiveMaximum: minimum }, minimum),
    );
  if (typeof maximum === "number" && !(high.bound <= maximum))
    add("maximum", `it must be at most ${maximum}`, () =>
      numbersWith(sampler, from, { exclusiveMinimum: maximum }, maximum),
    );
  if (typeof exclusiveMinimum === "number" && !isAbove(low, exclusiveMinimum))
    add("exclusiveMinimum", `it must be more than ${exclusiveMinimum}`, () =>
      numbersWith(sampler, from, { maximum: exclusiveMinimum }, exclusiveMinimum),
    );
  if (typeof exclusiveMaximum === "number" && !isBelow(high, exclusiveMaximum))
    add("exclusiveMaximum", `it must be less than ${exclusiveMaximum}`, () =>
      numbersWith(sampler, from, { minimum: exclusiveMaximum }, exclusiveMaximum),
    );
  if (isWhole({ type: to["type"] }) && !isWhole(from))
    add("type", "it must be a whole number", () => fractions(sampler, from));
  if (typeof to["format"] === "string" && from["format"] !== to["format"])
    add("format", `it must have the format ${to["format"]}`, () => fractions(sampler, from));
  if (typeof multipleOf === "number" && !isMultiple(from, multipleOf))
    add("multipleOf", `it must be a multiple of ${multipleOf}`, () => [
      ...numbersWith(sampler, from, {}, multipleOf),
      ...fractions(sampler, from),
    ]);
  return doubts;
}

/** Numbers in events lie within these: whole ones beyond are refused, and there are no others beyond. */
const [LOWEST, HIGHEST] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

interface Bound {
  readonly bound: number;
  readonly isOpen: boolean;
}

function lowOf(schema: SchemaObject): Bound {
  const closed = Math.max(LOWEST, numberOf(schema["minimum"], LOWEST));
  const open = numberOf(schema["exclusiveMinimum"], Number.NEGATIVE_INFINITY);
  if (isWhole(schema)) return { bound: Math.max(Math.ceil(closed), Math.floor(open) + 1), isOpen: false };
  return open >= closed ? { bound: open, isOpen: true } : { bound: closed, isOpen: false };
}

function highOf(schema: SchemaObject): Bound {
  const closed = Math.min(HIGHEST, numberOf(schema["maximum"], HIGHEST));
  const open = numberOf(schema["exclusiveMaximum"], Number.POSITIVE_INFINITY);
  if (isWhole(schema)) return { bound: Math.min(Math.floor(closed), Math.ceil(open) - 1), isOpen: false };
  return open <= closed ? { bound: open, isOpen: true } : { bound: closed, isOpen: false };
}

function isAbove({ bound, isOpen }: Bound, limit: number): boolean {
  return bound > limit || (isOpen && bound === limit);
}

function isBelow({ bound, isOpen }: Bound, limit: number): boolean {
  return bound < limit || (isOpen && bound === limit);
}

/** True if all numbers of a schema are multiples. Only whole steps are compared, as others are not exact. */
function isMultiple(from: SchemaObject, step: number): boolean {
  const own = from["multipleOf"];
  if (own === step) return true;
  if (step === 1) return isWhole(from);
  return typeof own === "number" && Number.isInteger(own) && Number.isInteger(step) && own % step === 0;
}

function* fractions(sampler: Sampler, from: SchemaObject): Generator<unknown> {
  yield* [0.5, 1.5, -0.5, lowOf(from).bound + 0.5, highOf(from).bound - 0.5, lowOf(from).bound + 0.25].filter(
    Number.isFinite,
  );
  yield* samplesWith(sampler, from, {});
}

function* numbersWith(
  sampler: Sampler,
  from: SchemaObject,
  further: SchemaObject,
  near: number,
): Generator<unknown> {
  yield* samplesWith(sampler, from, further);
  const bounds = [lowOf(from).bound, highOf(from).bound].filter(Number.isFinite);
  yield* [near, near - 1, near + 1, near - 0.5, near + 0.5, near - 0.001, near + 0.001, ...bounds];
}

/** Some values that satisfy a schema and further keywords. */
export function* samplesWith(
  sampler: Sampler,
  from: SchemaObject,
  further: SchemaObject,
): Generator<unknown> {
  const schema = mergeSchemas([from, further]);
  for (const make of [sampler.smallest, ...Array.from({ length: 20 }, () => sampler.any)]) {
    try {
      yield make(schema);
    } catch (error) {
      if (!(error instanceof NoSampleError)) throw error;
    }
  }
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
