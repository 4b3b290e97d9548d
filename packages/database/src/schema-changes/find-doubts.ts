import type { JsonJudge } from "./json-judge.ts";
import {
  asSchema,
  assertionsOf,
  COMPARED,
  canonicalText,
  isObject,
  type JsonSchema,
  type Kind,
  kindsOf,
  listOf,
  type SchemaObject,
  valuesOf,
} from "./json-schema.ts";
import { checkList } from "./list-doubts.ts";
import { mergeSchemas } from "./merge-schemas.ts";
import { checkObject } from "./object-doubts.ts";
import { type Doubt, isTelling, nearness, type Place, WHOLE } from "./place.ts";
import { NoSampleError, type Sampler } from "./sample-values.ts";
import { numberDoubts, textDoubts } from "./scalar-doubts.ts";
import { areDisjoint, asPart, mergeAll, NAMES, ofKind, resolved, withoutReference } from "./schema-parts.ts";

/** Two schemas, of which the first is to accept no more than the second. */
export interface SchemaPair {
  readonly from: JsonSchema;
  readonly to: JsonSchema;
  /** Samples of `from`. */
  readonly sampler: Sampler;
  /** Decides on single values by `to`. */
  readonly judge: JsonJudge;
}

/** The parts of a comparison that the checks of one kind of value need. */
export interface Comparing {
  readonly sampler: Sampler;
  /** Compares two parts at a place. */
  compare(from: JsonSchema, to: JsonSchema, place: Place): readonly Doubt[];
  doubt(place: Place, about: Pick<Doubt, "keyword" | "reason">, values: () => Iterable<unknown>): Doubt;
  accepts(to: JsonSchema, value: unknown): boolean;
}

/** Limits of the work for one pair, of the depth in documents, and of that in schemas. Beyond them it is in doubt. */
const MAX_STEPS = 20_000;
const MAX_DEPTH = 40;
const MAX_LEVEL = 300;

/**
 * Finds the places at which `from` may accept what `to` refuses. None: every document that `from` accepts is accepted by `to`. It is a
 * proof, so what it can't decide is a doubt, and a doubt may be unfounded.
 */
export function findDoubts({ from, to, sampler, judge }: SchemaPair): readonly Doubt[] {
  const isSameRoot = canonicalText(from) === canonicalText(to);
  /** Pairs with references whose comparison has begun, with the depth at which it did. */
  const begun = new Map<string, number>();
  let steps = 0;
  let level = 0;

  const comparing: Comparing = {
    sampler,
    compare,
    doubt,
    accepts: (part, value) => judge.accepts(part, value),
  };

  function doubt(
    place: Place,
    about: Pick<Doubt, "keyword" | "reason">,
    values: () => Iterable<unknown>,
  ): Doubt {
    return {
      ...about,
      pointer: place.pointer,
      *documents() {
        try {
          for (const value of values()) yield place.embed(value);
        } catch (error) {
          if (!(error instanceof NoSampleError)) throw error;
        }
      },
    };
  }

  function samplesOf(schema: JsonSchema) {
    return function* (): Generator<unknown> {
      for (const make of [sampler.smallest, ...Array.from({ length: 30 }, () => sampler.any)]) {
        try {
          yield make(schema);
        } catch (error) {
          if (!(error instanceof NoSampleError)) throw error;
        }
      }
    };
  }

  function compare(one: JsonSchema, other: JsonSchema, place: Place): readonly Doubt[] {
    level += 1;
    try {
      return compareWithin(one, other, place);
    } finally {
      level -= 1;
    }
  }

  function compareWithin(one: JsonSchema, other: JsonSchema, place: Place): readonly Doubt[] {
    steps += 1;
    if (other === true || one === false) return [];
    if (steps > MAX_STEPS || place.depth > MAX_DEPTH || level > MAX_LEVEL)
      return [
        doubt(
          place,
          { keyword: "", reason: "the schema is too large or too deep to compare" },
          samplesOf(one),
        ),
      ];
    if (other === false)
      return [doubt(place, { keyword: "false", reason: "nothing is accepted here" }, samplesOf(one))];
    if (assertionsOf(other).length === 0) return [];
    if (isSame(one, other)) return [];
    const key =
      one !== true && "$ref" in one ? keyOf(one, other) : "$ref" in other ? keyOf(one, other) : undefined;
    if (key === undefined) return compareResolved(one === true ? {} : one, other, place);
    const since = begun.get(key);
    // The parts of a document below are compared by the same comparison, which is under way.
    if (since !== undefined && since < place.depth) return [];
    if (since !== undefined)
      return [doubt(place, { keyword: "$ref", reason: "the reference leads to itself" }, samplesOf(one))];
    begun.set(key, place.depth);
    try {
      return compareReferences(one === true ? {} : one, other, place);
    } finally {
      begun.delete(key);
    }
  }

  function keyOf(one: JsonSchema, other: JsonSchema): string {
    return `${canonicalText(one)} ${canonicalText(other)}`;
  }

  /** The same text means the same, but for references: those are about the whole. */
  function isSame(one: JsonSchema, other: JsonSchema): boolean {
    const text = canonicalText(one);
    return text === canonicalText(other) && (isSameRoot || !text.includes('"$ref"'));
  }

  function compareReferences(one: SchemaObject, other: SchemaObject, place: Place): readonly Doubt[] {
    const first = withoutReference(from, one);
    const second = withoutReference(to, other);
    if (first === undefined || second === undefined)
      return [doubt(place, { keyword: "$ref", reason: "a reference leads nowhere" }, samplesOf(one))];
    return second.flatMap((each) => compare(mergeSchemas(first), each, place));
  }

  function compareResolved(whole: SchemaObject, other: SchemaObject, place: Place): readonly Doubt[] {
    const { allOf, ...others } = other;
    if (Array.isArray(allOf))
      return [others, ...allOf.map(asSchema)].flatMap((each) => compare(whole, each, place));
    const one = whole["allOf"] === undefined ? whole : mergeAll(whole);
    if (!isObject(one) || "$ref" in one) return compare(one, other, place);
    const choices = one["anyOf"] ?? one["oneOf"];
    if (Array.isArray(choices)) {
      const { [one["anyOf"] === undefined ? "oneOf" : "anyOf"]: _choices, ...rest } = one;
      const alternatives = choices.map((choice) => mergeSchemas([rest, asSchema(choice)]));
      return alternatives.flatMap((each) => compare(each, other, place));
    }
    const doubts = compareOne(one, other, place);
    if (doubts.length === 0) return doubts;
    // What could not be merged holds as well, and one part of it may be enough.
    const parts = listOf(one["allOf"]).map(asSchema);
    return parts.some((part) => compare(part, other, place).length === 0) ? [] : doubts;
  }

  function compareOne(one: SchemaObject, other: SchemaObject, place: Place): readonly Doubt[] {
    const values = "not" in one ? undefined : valuesOf(one);
    if (values !== undefined) return compareValues(values, other, place);
    if ("anyOf" in other || "oneOf" in other) return compareForms(one, other, place);
    const kinds = kindsOf(one);
    const known = kindsOf(other);
    const strangers = kinds.filter((kind) => !known.includes(kind));
    const doubts: Doubt[] = strangers.map((kind) =>
      doubt(
        place,
        { keyword: "type", reason: `${NAMES[kind]} is not accepted` },
        samplesOf(ofKind(one, kind)),
      ),
    );
    if ("const" in other || "enum" in other)
      return [
        ...doubts,
        doubt(place, { keyword: "enum", reason: "only listed values are accepted" }, samplesOf(one)),
      ];
    for (const kind of kinds.filter((each) => known.includes(each)))
      doubts.push(...compareKind(kind, ofKind(one, kind), other, place));
    return [...doubts, ...compareFurther(one, other, place)];
  }

  function compareKind(kind: Kind, one: SchemaObject, other: SchemaObject, place: Place): readonly Doubt[] {
    const pair = { from: one, to: other, place };
    switch (kind) {
      case "string":
        return textDoubts(comparing, pair);
      case "number":
        return numberDoubts(comparing, pair);
      case "array":
        return checkList(comparing, pair);
      case "object":
        return checkObject(comparing, pair);
      default:
        return [];
    }
  }

  function compareValues(values: readonly unknown[], other: SchemaObject, place: Place): readonly Doubt[] {
    return values
      .filter((value) => !judge.accepts(other, value))
      .map((value) =>
        doubt(place, { keyword: "enum", reason: `${JSON.stringify(value)} is not accepted` }, () => [value]),
      );
  }

  /** Compares with a union. All values must fit one of its forms; several kinds of values may each fit another one. */
  function compareForms(one: SchemaObject, other: SchemaObject, place: Place): readonly Doubt[] {
    const { anyOf, oneOf, ...rest } = other;
    const doubts = [...compare(one, rest, place)];
    for (const kind of kindsOf(one)) {
      const part = ofKind(one, kind);
      if (Array.isArray(anyOf))
        doubts.push(...compareWithForms(part, { forms: anyOf.map(asSchema), isOne: false }, place));
      if (Array.isArray(oneOf))
        doubts.push(...compareWithForms(part, { forms: oneOf.map(asSchema), isOne: true }, place));
    }
    return doubts;
  }

  function compareWithForms(
    one: SchemaObject,
    { forms, isOne }: { readonly forms: readonly JsonSchema[]; readonly isOne: boolean },
    place: Place,
  ): readonly Doubt[] {
    const found = forms.map((form) => ({ form, doubts: compare(one, form, place) }));
    const fitting = found.find(({ doubts }) => doubts.length === 0);
    if (fitting !== undefined) {
      const rivals = forms.filter((form) => form !== fitting.form);
      if (!isOne || rivals.every((rival) => areDisjoint(resolved(from, one), resolved(to, rival)))) return [];
      return [doubt(place, { keyword: "oneOf", reason: "it may fit more than one form" }, samplesOf(one))];
    }
    // The form that comes nearest has its doubts deepest in the document.
    const [nearest] = [...found].sort(
      (left, right) => nearness(right.doubts, place) - nearness(left.doubts, place),
    );
    if (nearest === undefined)
      return [doubt(place, { keyword: "anyOf", reason: "no form is accepted" }, samplesOf(one))];
    // A form with another value of the field that distinguishes the forms is another form: its other fields don't matter.
    const telling = nearest.doubts.filter((each) => isTelling(each, place));
    return (telling.length > 0 ? telling : nearest.doubts).map((each) => ({
      ...each,
      *documents() {
        yield* each.documents();
        for (const value of samplesOf(one)()) {
          try {
            yield place.embed(value);
          } catch (error) {
            if (!(error instanceof NoSampleError)) throw error;
          }
        }
      },
    }));
  }

  /** Keywords that are only compared as a whole. */
  function compareFurther(one: SchemaObject, other: SchemaObject, place: Place): readonly Doubt[] {
    return assertionsOf(other)
      .filter((keyword) => !COMPARED.has(keyword) && !isSame(asPart(one, keyword), asPart(other, keyword)))
      .map((keyword) =>
        doubt(place, { keyword, reason: `"${keyword}" is not compared in its parts` }, samplesOf(one)),
      );
  }

  return compare(from, to, WHOLE);
}
