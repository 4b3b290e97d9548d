import { patternOf } from "../check-plan/linear-pattern.ts";
import {
  asSchema,
  isObject,
  isWhole,
  type JsonSchema,
  type Kind,
  kindsOf,
  listOf,
  objectOf,
  resolveReference,
  type SchemaObject,
} from "./json-schema.ts";
import { mergeSchemas } from "./merge-schemas.ts";
import { oneOf, type Random, wholeNumber } from "./random.ts";
import { sampleTexts } from "./sample-text.ts";

/** Thrown when no value of a schema was found. There may be one all the same. */
export class NoSampleError extends Error {
  override readonly name = "NoSampleError";
  readonly code = "NO_SAMPLE";
}

const NO_SAMPLE = new NoSampleError("No value of the schema was found."); // Thrown by the thousand, and nobody reads them.

/** Makes values that probably satisfy the parts of one schema. Whoever uses them validates what they end up in. */
export interface Sampler {
  /** A small value, always the same. @throws NoSampleError */
  smallest(part: JsonSchema): unknown;
  /** Any value. @throws NoSampleError */
  any(part: JsonSchema): unknown;
}

/** Depth from which on only what a schema demands is made, and at which a value is given up. */
const FEW_FROM_DEPTH = 4;
const MAX_DEPTH = 16;
/** Values in one sample, and in all of a sampler: a small schema can ask for any number of them. */
const MAX_VALUES = 12_000;
const MAX_VALUES_IN_ALL = 200_000;

/**
 * Creates a sampler.
 *
 * @param root the schema that the references of its parts are about
 * @param examples values that satisfy it, whose texts are tried where a schema has a pattern
 */
export function createSampler(root: JsonSchema, random: Random, examples: readonly unknown[] = []): Sampler {
  const known = [...new Set(examples.flatMap(textsIn))];
  let left = MAX_VALUES_IN_ALL;
  const sample = (part: JsonSchema, choose: Random | undefined) => {
    const budget = { left: Math.min(left, MAX_VALUES) };
    left -= budget.left;
    try {
      return new Sample({ root, random, known, budget }, choose).of(part, 0);
    } finally {
      left += budget.left;
    }
  };
  return { smallest: (part) => sample(part, undefined), any: (part) => sample(part, random) };
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/** The parts that the values of one sample are made of. */
interface Making {
  /** The schema that references are about. */
  readonly root: JsonSchema;
  readonly random: Random;
  readonly known: readonly string[];
  /** The number of values that may still be made. */
  readonly budget: { left: number };
}

class Sample {
  readonly #making: Making;
  /** Undefined for the smallest value. */
  readonly #choose: Random | undefined;

  constructor(making: Making, choose: Random | undefined) {
    this.#making = making;
    this.#choose = choose;
  }

  of(part: JsonSchema, depth: number): unknown {
    if (part === false || depth > MAX_DEPTH || this.#making.budget.left === 0) throw NO_SAMPLE;
    this.#making.budget.left -= 1;
    const schema = part === true ? {} : part;
    const { $ref, allOf, anyOf, oneOf: forms, ...rest } = schema;
    if ($ref !== undefined) {
      const target = resolveReference(this.#making.root, $ref);
      if (target === undefined) throw NO_SAMPLE;
      return this.of(mergeSchemas([{ ...schema, $ref: undefined }, target].map(withoutUndefined)), depth + 1);
    }
    if (Array.isArray(allOf) && allOf.length > 0) {
      const merged = mergeSchemas([
        withoutUndefined({ ...schema, allOf: undefined }),
        ...allOf.map(asSchema),
      ]);
      // What can't be merged stays in allOf, and is left to the validation.
      if (isObject(merged)) return this.of({ ...merged, allOf: [], patterns: patternsOf(merged) }, depth + 1);
      return this.of(merged, depth + 1);
    }
    const choices = listOf(anyOf ?? forms);
    if (choices.length > 0) {
      const others = anyOf !== undefined && forms !== undefined ? [{ ...rest, oneOf: forms }] : [rest];
      return this.#firstOf(this.#ordered(choices), (choice) =>
        this.of(mergeSchemas([...others, asSchema(choice)]), depth + 1),
      );
    }
    if (Object.hasOwn(schema, "const")) return schema["const"];
    if (Array.isArray(schema["enum"])) {
      if (schema["enum"].length === 0) throw NO_SAMPLE;
      return this.#choose === undefined ? schema["enum"][0] : oneOf(this.#choose, schema["enum"]);
    }
    return this.#firstOf(this.#ordered(kindsOf(schema)), (kind) => this.#ofKind(kind, schema, depth));
  }

  #ordered<Item>(items: readonly Item[]): readonly Item[] {
    const choose = this.#choose;
    if (choose === undefined || items.length < 2) return items;
    const from = wholeNumber(choose, 0, items.length - 1);
    return [...items.slice(from), ...items.slice(0, from)];
  }

  #firstOf<Item>(items: readonly Item[], make: (item: Item) => unknown): unknown {
    let failure: unknown = NO_SAMPLE;
    for (const item of items) {
      try {
        return make(item);
      } catch (error) {
        if (!(error instanceof NoSampleError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  #ofKind(kind: Kind, schema: SchemaObject, depth: number): unknown {
    switch (kind) {
      case "null":
        return null;
      case "boolean":
        return this.#choose === undefined ? true : this.#choose() < 0.5;
      case "number":
        return this.#number(schema);
      case "string":
        return this.#text(schema);
      case "array":
        return this.#array(schema, depth);
      case "object":
        return this.#object(schema, depth);
    }
  }

  #number(schema: SchemaObject): number {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
    const whole = isWhole(schema);
    const step = typeof multipleOf === "number" ? multipleOf : whole ? 1 : 0.5;
    const low = Math.max(numberOr(minimum, -1e9), numberOr(exclusiveMinimum, -1e9));
    const high = Math.min(numberOr(maximum, 1e9), numberOr(exclusiveMaximum, 1e9));
    const snap = (value: number) => Math.round(Math.round(value / step) * step * 1e6) / 1e6;
    const choose = this.#choose ?? (() => 0.5);
    const candidates = [
      ...(this.#choose === undefined ? [snap(1), snap(0)] : [snap(low + choose() * (high - low))]),
      snap(wholeNumber(choose, -20, 20)),
      snap(low),
      snap(low + step),
      snap(high),
      snap(high - step),
      low + (high - low) / 2,
      low,
      high,
    ];
    const fits = (value: number) =>
      value >= numberOr(minimum, Number.NEGATIVE_INFINITY) &&
      value <= numberOr(maximum, Number.POSITIVE_INFINITY) &&
      value > numberOr(exclusiveMinimum, Number.NEGATIVE_INFINITY) &&
      value < numberOr(exclusiveMaximum, Number.POSITIVE_INFINITY) &&
      (!whole || Number.isSafeInteger(value));
    const value = this.#ordered(candidates).find(fits);
    if (value === undefined) throw NO_SAMPLE;
    // Zero, and never minus zero, which JSON writes as zero.
    return value === 0 ? 0 : value;
  }

  #text(schema: SchemaObject): string {
    const limits = {
      minLength: numberOr(schema["minLength"], 0),
      maxLength: numberOr(schema["maxLength"], Number.POSITIVE_INFINITY),
      patterns: patternsOf(schema),
      format: typeof schema["format"] === "string" ? schema["format"] : undefined,
    };
    if (limits.minLength > limits.maxLength) throw NO_SAMPLE;
    const texts: string[] = [];
    for (const text of sampleTexts(limits, this.#making.known, this.#making.random)) {
      if (this.#choose === undefined) return text;
      texts.push(text);
      if (texts.length >= 12) break;
    }
    if (texts.length === 0) throw NO_SAMPLE;
    return oneOf(this.#making.random, texts);
  }

  #array(schema: SchemaObject, depth: number): readonly unknown[] {
    const prefix = listOf(schema["prefixItems"]);
    const least = numberOr(schema["minItems"], 0);
    const most = numberOr(schema["maxItems"], Number.POSITIVE_INFINITY);
    if (least > most || least > 10_000) throw NO_SAMPLE;
    const length =
      this.#choose === undefined || depth > FEW_FROM_DEPTH
        ? least
        : Math.min(most, wholeNumber(this.#choose, least, least + 3));
    const items: unknown[] = [];
    while (items.length < length) {
      const item = prefix[items.length] ?? schema["items"] ?? true;
      try {
        items.push(this.of(asSchema(item), depth + 1));
      } catch (error) {
        if (items.length >= least && error instanceof NoSampleError) break;
        throw error;
      }
    }
    return items;
  }

  #object(schema: SchemaObject, depth: number): unknown {
    const properties = objectOf(schema["properties"]);
    const required = listOf(schema["required"]).map(String);
    const additional = asSchema(schema["additionalProperties"] ?? true);
    const fields: [string, unknown][] = [];
    for (const name of new Set([...required, ...Object.keys(properties)])) {
      const isRequired = required.includes(name);
      if (!isRequired && (this.#choose === undefined || depth > FEW_FROM_DEPTH || this.#choose() < 0.4))
        continue;
      const field = Object.hasOwn(properties, name) ? asSchema(properties[name]) : additional;
      try {
        fields.push([name, this.of(field, depth + 1)]);
      } catch (error) {
        if (isRequired || !(error instanceof NoSampleError)) throw error;
      }
    }
    const least = numberOr(schema["minProperties"], 0);
    const isMore =
      this.#choose !== undefined && depth <= FEW_FROM_DEPTH && additional !== false && this.#choose() < 0.4;
    for (let index = 0; index < 20 && (fields.length < least || (isMore && index === 0)); index += 1) {
      const name = this.#newName(schema, depth, index);
      if (name === undefined || fields.some(([other]) => other === name) || Object.hasOwn(properties, name))
        continue;
      try {
        fields.push([name, this.of(additional, depth + 1)]);
      } catch (error) {
        if (!(error instanceof NoSampleError)) throw error;
      }
    }
    return Object.fromEntries(fields);
  }

  #newName(schema: SchemaObject, depth: number, index: number): string | undefined {
    if (schema["propertyNames"] === undefined) return `other${index}`;
    const names = mergeSchemas([{ type: "string" }, asSchema(schema["propertyNames"])]);
    const maker = this.#choose === undefined ? new Sample(this.#making, this.#making.random) : this;
    try {
      return String(maker.of(names, depth + 1));
    } catch (error) {
      if (error instanceof NoSampleError) return undefined;
      throw error;
    }
  }
}

/** The patterns of a text, also those of `allOf`. One that JavaScript can't read is left out. */
export function patternsOf(schema: SchemaObject): readonly RegExp[] {
  const own = schema["pattern"] === undefined ? [] : [schema["pattern"]];
  const kept = listOf(schema["patterns"]).filter((each) => each instanceof RegExp);
  const further = listOf(schema["allOf"]).flatMap((part) => (isObject(part) ? patternsOf(part) : []));
  return [...own.flatMap((source) => readPattern(String(source))), ...kept, ...further];
}

function readPattern(source: string): readonly RegExp[] {
  for (const flags of ["u", ""]) {
    try {
      return [patternOf(source, flags)];
    } catch {}
  }
  return [];
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function withoutUndefined(schema: JsonSchema): JsonSchema {
  if (!isObject(schema)) return schema;
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}
