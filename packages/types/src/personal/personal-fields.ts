import type { z } from "zod";
import type { JsonValue } from "../json/json.ts";

/** The step of a path that means each item of an array. */
export const EACH_ITEM = 0;

/** A field of an object, or each item of an array. */
export type PersonalStep = string | typeof EACH_ITEM;

/** The fields of an event that can name a subject. */
const EVENT_SUBJECTS = ["userId", "aggregateId"] as const;
type EventSubject = (typeof EVENT_SUBJECTS)[number];

/** The place at which an event says whose data a field has: a field of the event itself, or one of an object around the personal field. */
export type SubjectPlace =
  | { readonly event: EventSubject }
  /** `name` is a field of the object that the first `depth` steps of the personal field's path lead to. */
  | { readonly depth: number; readonly name: string };

/** A field of `data` that holds personal data. */
export interface PersonalField {
  readonly path: readonly PersonalStep[];
  readonly subject: SubjectPlace;
  /** The value that a reader gets who may not see the real one, or when nobody can any more. It satisfies the field's schema. */
  readonly masked: JsonValue;
  /** True if events can be found by its value: what is stored has a pseudonym of it. */
  readonly lookup?: true;
}

/** The text that a reader gets who does not get the real one. */
export const HIDDEN_TEXT = "[hidden]";

/** Maximum number of steps to a personal field: its sealed form is one level deeper than the field. */
const MAX_STEPS = 24;

/** Thrown for a schema whose personal fields can't be sealed. */
export class PersonalFieldError extends Error {
  override readonly name = "PersonalFieldError";
  readonly code = "PERSONAL_FIELD_INVALID";
}

/**
 * Finds the fields of a schema with `.meta({ personal: { subject } })`: in objects, and in arrays of them.
 *
 * @throws PersonalFieldError when the subject of one is not a required text, a union or the like hides one, it is in a part that contains
 *   itself, or it has no masked value
 */
export function findPersonalFields(schema: z.ZodType): readonly PersonalField[] {
  const found: PersonalField[] = [];
  walk(schema, { path: [], objects: [], around: [] }, found);
  return found;
}

type Part = z.core.$ZodType;
type Shape = Readonly<Record<string, Part>>;

interface Way {
  readonly path: readonly PersonalStep[];
  /** The objects around it, the outermost first. */
  readonly objects: readonly { readonly depth: number; readonly shape: Shape }[];
  /** All parts around it, among which is the part itself where a schema contains itself. */
  readonly around: readonly Part[];
}

function walk(part: Part, way: Way, found: PersonalField[]): void {
  const declared = declarationOf(part);
  if (declared !== undefined) {
    found.push(readDeclaration(part, declared, way));
    return;
  }
  const { path, objects } = way;
  if (way.around.includes(part)) {
    if (!holdsPersonal(part, new Set())) return;
    throw new PersonalFieldError(
      `has a personal field inside "${named(path)}", which contains itself, so that its fields have no end`,
    );
  }
  const around = [...way.around, part];
  const { def } = part._zod;
  if (isObject(def)) {
    const inside = [...objects, { depth: path.length, shape: def.shape }];
    for (const [name, field] of Object.entries(def.shape))
      walk(field, { path: [...path, name], objects: inside, around }, found);
  } else if (isArray(def)) {
    walk(def.element, { path: [...path, EACH_ITEM], objects, around }, found);
  } else if (isWrapper(def)) {
    walk(def.innerType, { ...way, around }, found);
  } else if (holdsPersonal(part, new Set())) {
    throw new PersonalFieldError(
      `has a personal field inside "${named(path)}", whose kind is ${def.type}; it can be in objects and in arrays of objects only`,
    );
  }
}

function readDeclaration(part: Part, declared: unknown, way: Way): PersonalField {
  const { path } = way;
  const at = `"${named(path)}"`;
  if (path.length === 0)
    throw new PersonalFieldError("is personal as a whole; declare the fields that are personal");
  if (path.length > MAX_STEPS)
    throw new PersonalFieldError(`has the personal field ${at} more than ${MAX_STEPS} levels deep`);
  if (typeof declared !== "object" || declared === null)
    throw new PersonalFieldError(`must name the subject of ${at}, as personal: { subject: "userId" }`);
  const {
    subject,
    masked,
    lookup = false,
    ...others
  }: { subject?: unknown; masked?: unknown; lookup?: unknown } = declared;
  const [stranger] = Object.keys(others);
  if (stranger !== undefined)
    throw new PersonalFieldError(
      `has "${stranger}" in the declaration of ${at}; it has subject, masked and lookup only`,
    );
  if (typeof subject !== "string")
    throw new PersonalFieldError(`must name the subject of ${at}, as personal: { subject: "userId" }`);
  if (holdsPersonal(part, new Set(), true))
    throw new PersonalFieldError(`has a personal field inside ${at}, which is personal as a whole`);
  if (typeof lookup !== "boolean")
    throw new PersonalFieldError(`has the personal field ${at}, whose lookup must be true or false`);
  if (lookup && !isPlain(part))
    throw new PersonalFieldError(
      `has the personal field ${at}, which can't be looked up; only text, numbers and booleans can`,
    );
  const field = { path, subject: placeOf(subject, way, at), masked: readMasked(part, masked, at) };
  return lookup ? { ...field, lookup } : field;
}

/** True if every value of a part is text, a number, a boolean, or null. */
function isPlain(part: Part): boolean {
  const { def } = part._zod;
  return isWrapper(def) ? isPlain(def.innerType) : PLAIN_TYPES.has(def.type);
}

const PLAIN_TYPES: ReadonlySet<string> = new Set(["string", "number", "boolean", "enum", "literal"]);

/** Finds the subject by its name: in the objects around the field, the innermost first, and then in the event. */
function placeOf(subject: string, { objects }: Way, at: string): SubjectPlace {
  for (const { depth, shape } of objects.toReversed()) {
    const field = Object.hasOwn(shape, subject) ? shape[subject] : undefined;
    if (field === undefined) continue;
    const { type } = field._zod.def;
    if (type === "optional" || type === "nullable")
      throw new PersonalFieldError(
        `has ${at} of the subject "${subject}", which must not be optional or nullable`,
      );
    if (type !== "string" && type !== "enum" && type !== "literal")
      throw new PersonalFieldError(
        `has ${at} of the subject "${subject}", which must be text, and is ${type}`,
      );
    if (declarationOf(field) !== undefined)
      throw new PersonalFieldError(
        `has ${at} of the subject "${subject}", which must not be personal itself`,
      );
    return { depth, name: subject };
  }
  const name = EVENT_SUBJECTS.find((each) => subject === each || subject === `event.${each}`);
  if (name !== undefined) return { event: name };
  throw new PersonalFieldError(
    `has ${at} of the subject "${subject}", which is neither a field beside or around it nor userId or aggregateId of the event`,
  );
}

function readMasked(part: Part, masked: unknown, at: string): JsonValue {
  const value = masked === undefined ? HIDDEN_TEXT : masked;
  // Zod's own types of a part have no method for it.
  const { issues } = part._zod.run({ value, issues: [] }, { async: false }) as { issues: readonly unknown[] };
  if (issues.length === 0) return value as JsonValue;
  throw new PersonalFieldError(
    masked === undefined
      ? `has the personal field ${at}, which can't be "${HIDDEN_TEXT}"; give what readers get instead of it, as personal: { subject, masked }`
      : `has the personal field ${at}, whose masked value does not satisfy its schema`,
  );
}

/** The declaration on a part, also on one inside optional, nullable and the like. */
function declarationOf(part: Part): unknown {
  const metadata: unknown = "meta" in part && typeof part.meta === "function" ? part.meta() : undefined;
  return typeof metadata === "object" && metadata !== null && "personal" in metadata
    ? metadata.personal
    : undefined;
}

/** True if a part, or with `inside` a part of it, is personal. */
function holdsPersonal(part: Part, seen: Set<Part>, inside = false): boolean {
  if (seen.has(part)) return false;
  seen.add(part);
  if (!inside && declarationOf(part) !== undefined) return true;
  return partsOf(part).some((each) => holdsPersonal(each, seen));
}

/** The parts that a part is made of, whatever its kind. */
function partsOf(part: Part): Part[] {
  const { def } = part._zod;
  const members: unknown[] = Object.entries(def).flatMap(([name, value]: [string, unknown]) => {
    if (name === "getter" && typeof value === "function") return [value()];
    if (name === "shape") return Object.values(Object(value));
    return Array.isArray(value) ? value : [value];
  });
  return members.filter(isPart);
}

function isPart(value: unknown): value is Part {
  return typeof value === "object" && value !== null && "_zod" in value && "def" in Object(value._zod);
}

const WRAPPERS: ReadonlySet<string> = new Set(["optional", "nullable", "nonoptional", "readonly"]);

function isObject(def: z.core.$ZodTypeDef): def is z.core.$ZodObjectDef {
  return def.type === "object";
}

function isArray(def: z.core.$ZodTypeDef): def is z.core.$ZodArrayDef {
  return def.type === "array";
}

function isWrapper(def: z.core.$ZodTypeDef): def is z.core.$ZodTypeDef & { readonly innerType: Part } {
  return WRAPPERS.has(def.type);
}

function named(path: readonly PersonalStep[]): string {
  return path.map((step) => (step === EACH_ITEM ? "[]" : step)).join(".");
}
