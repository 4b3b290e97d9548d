import { escapeToken } from "./json-judge.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { Sampler } from "./sample-values.ts";

/** A place in a document, and how a document gets a value there. */
export interface Place {
  /** JSON pointer. `*` stands for any item or any name. */
  readonly pointer: string;
  readonly depth: number;
  /** A document with this value at the place. @throws NoSampleError */
  embed(value: unknown): unknown;
}

/** A place at which one schema may accept what the other refuses. */
export interface Doubt {
  readonly pointer: string;
  /** The keyword of the other schema that was not proven. */
  readonly keyword: string;
  readonly reason: string;
  /** Documents that may be accepted by the one and refused by the other. */
  documents(): Generator<unknown>;
}

/** The document as a whole. */
export const WHOLE: Place = { pointer: "", depth: 0, embed: (value) => value };

/** A field of the objects at a place. */
export function fieldOf(place: Place, name: string, schema: JsonSchema, sampler: Sampler): Place {
  return {
    pointer: `${place.pointer}/${escapeToken(name)}`,
    depth: place.depth + 1,
    embed: (value) => place.embed({ ...asRecord(sampler.smallest(schema)), [name]: value }),
  };
}

/** Any field that the objects at a place don't name. */
export function otherFieldOf(place: Place, name: string, schema: JsonSchema, sampler: Sampler): Place {
  return { ...fieldOf(place, name, schema, sampler), pointer: `${place.pointer}/*` };
}

/** An item of the lists at a place; any item from `index` on if it stands for all of them. */
export function itemOf(
  place: Place,
  index: number,
  {
    isAny,
    schema,
    sampler,
  }: { readonly isAny: boolean; readonly schema: JsonSchema; readonly sampler: Sampler },
): Place {
  return {
    pointer: `${place.pointer}/${isAny ? "*" : index}`,
    depth: place.depth + 1,
    embed(value) {
      const items = [...asList(sampler.smallest(schema))];
      for (let before = items.length; before < index; before += 1)
        items.push(sampler.smallest(itemAt(schema, before)));
      items[index] = value;
      return place.embed(items);
    },
  };
}

/** The schema of the item at an index. */
export function itemAt(schema: JsonSchema, index: number): JsonSchema {
  if (typeof schema === "boolean") return schema;
  const prefix: unknown = schema["prefixItems"];
  const item: unknown = (Array.isArray(prefix) ? prefix[index] : undefined) ?? schema["items"] ?? true;
  return typeof item === "boolean" || (typeof item === "object" && item !== null)
    ? (item as JsonSchema)
    : true;
}

function asRecord(value: unknown): object {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The higher, the nearer a form of a union is to the values that are compared with it. */
export function nearness(doubts: readonly Doubt[], place: Place): number {
  const isHere = doubts.some(({ pointer, keyword }) => pointer === place.pointer && keyword === "type");
  const isOtherForm = doubts.some((doubt) => isTelling(doubt, place));
  return (isHere ? -2_000 : 0) - (isOtherForm ? 1_000 : 0) - doubts.length;
}

/** True for a doubt about a field that distinguishes the forms of a union. */
export function isTelling({ pointer, keyword }: Doubt, place: Place): boolean {
  return keyword === "enum" && pointer.split("/").length === place.pointer.split("/").length + 1;
}
