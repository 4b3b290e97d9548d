import type { SynapEvent } from "../event/event.ts";
import type { JsonObject, JsonValue } from "../json/json.ts";
import { EACH_ITEM, type PersonalField, type SubjectPlace } from "./personal-fields.ts";

/** A step to a value: a field's name, or the index of an item. */
export type ValueStep = string | number;

/** The value of a personal field in an event. */
export interface PersonalValue {
  readonly field: PersonalField;
  readonly path: readonly ValueStep[];
  readonly value: JsonValue;
}

/** The values of these fields that data has, plain or sealed. Arrays have one for each item. */
export function personalValues(fields: readonly PersonalField[], data: JsonObject): PersonalValue[] {
  const found: PersonalValue[] = [];
  for (const field of fields) collect(field, data, [], found);
  return found;
}

function collect(
  field: PersonalField,
  at: unknown,
  path: readonly ValueStep[],
  found: PersonalValue[],
): void {
  const step = field.path[path.length];
  if (step === undefined) {
    if (at !== undefined) found.push({ field, path, value: at as JsonValue });
  } else if (step === EACH_ITEM) {
    if (!Array.isArray(at)) return;
    for (const [index, item] of at.entries()) collect(field, item, [...path, index], found);
  } else if (typeof at === "object" && at !== null && Object.hasOwn(at, step)) {
    collect(field, Reflect.get(at, step), [...path, step], found);
  }
}

/** The subject that a value is about; undefined if the event does not say it. */
export function subjectOf(
  { userId, aggregateId, data }: Pick<SynapEvent, "userId" | "aggregateId" | "data">,
  { field, path }: PersonalValue,
): string | undefined {
  const named =
    "event" in field.subject
      ? { userId, aggregateId }[field.subject.event]
      : inData(data, field.subject, path);
  return typeof named === "string" && named !== "" ? named : undefined;
}

function inData(
  data: JsonObject,
  place: Exclude<SubjectPlace, { event: unknown }>,
  path: readonly ValueStep[],
): unknown {
  let at: unknown = data;
  for (const step of [...path.slice(0, place.depth), place.name])
    at = typeof at === "object" && at !== null && Object.hasOwn(at, step) ? Reflect.get(at, step) : undefined;
  return at;
}

/** A value as it replaces another one. */
export interface Replacement {
  readonly path: readonly ValueStep[];
  readonly value: JsonValue;
}

/** Data with these values in the place of others. What was given stays as it is. */
export function replaceValues(data: JsonObject, replacements: readonly Replacement[]): JsonObject {
  if (replacements.length === 0) return data;
  const root = { ...data };
  // By place and not by identity: a program may have one object at two places.
  const copies = new Map<string, object>();
  for (const { path, value } of replacements) {
    let at: object = root;
    let place = "";
    for (const step of path.slice(0, -1)) {
      place = `${place}\0${step}`;
      const original: unknown = Reflect.get(at, step);
      const copy = copies.get(place) ?? (Array.isArray(original) ? [...original] : { ...Object(original) });
      copies.set(place, copy);
      Reflect.set(at, step, copy);
      at = copy;
    }
    const last = path.at(-1);
    if (last !== undefined) Reflect.set(at, last, value);
  }
  return root;
}

/** A path as JSON Pointer (RFC 6901), in the data. */
export function pointerTo(path: readonly ValueStep[]): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
