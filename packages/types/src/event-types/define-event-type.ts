import type { z } from "zod";
import type { StoredEvent } from "../event/event.ts";
import { inferAggregateType } from "../event/event-input.ts";
import {
  AGGREGATE_TYPE_PATTERN,
  isEventTypeName,
  MAX_AGGREGATE_TYPE_LENGTH,
  MAX_EVENT_TYPE_LENGTH,
  MAX_SCHEMA_VERSION,
} from "../event/synap-event.ts";
import type { EventIssue } from "../issues/event-issue.ts";
import { thrownFacts } from "../issues/thrown-facts.ts";
import { fieldsOfJsonSchema, toEventIssues } from "../issues/zod-issues.ts";
import { checkJson } from "../json/check-json.ts";
import { ChangingSchemaError, describeUnchanging } from "../json/describe-unchanging.ts";
import { frozenCopy } from "../json/frozen-copy.ts";
import type { JsonObject } from "../json/json.ts";
import { findPersonalFields, type PersonalField, PersonalFieldError } from "../personal/personal-fields.ts";
import type { CompleteSteps, EarlierSchemas, EarlierVersion, UpcastSteps } from "./schema-versions.ts";

/** An event type: its name, its meaning and the schema of its data. Made by `defineEventType`. */
export interface EventTypeDefinition<Name extends string = string, Data extends JsonObject = JsonObject> {
  readonly name: Name;
  readonly aggregateType: string;
  readonly description: string;
  /** The version of `schema`: 1 unless the schema was changed in a way that older data doesn't fit. */
  readonly version: number;
  /** The versions before it, in their order: the first is version 1. */
  readonly earlier: readonly EarlierVersion[];
  /** Validates the data. Its output is never used: the data is stored as it was sent. */
  readonly schema: z.ZodType<Data>;
  readonly example: Data;
  /** The fields of data with `.meta({ personal })`, which are sealed before anything is stored. Most types have none. */
  readonly personal: readonly PersonalField[];
  /** The schema as JSON Schema (draft 2020-12), for documentation and programs in other languages. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  readonly isRegistered?: true;
  /** True if the data is validated against `schema` again each time that an event is read. */
  readonly parse?: boolean | undefined;
}

/** The type map of a list of definitions. */
export type EventTypesOf<Definitions extends readonly EventTypeDefinition[]> = {
  [Definition in Definitions[number] as Definition["name"]]: Definition["example"];
};

/** A stored event of any of these types: a union discriminated by `type`. */
export type StoredEventOf<Definitions extends readonly EventTypeDefinition[]> = StoredAs<Definitions[number]>;

type StoredAs<Definition extends EventTypeDefinition> =
  Definition extends EventTypeDefinition<infer Name, infer Data> ? StoredEvent<Name, Data> : never;

/** Thrown when an event type's definition or registration is invalid: a mistake in the program, not in an event. */
export class EventTypeDefinitionError extends Error {
  override readonly name = "EventTypeDefinitionError";
  readonly code: "EVENT_TYPE_INVALID" | "EVENT_TYPE_DUPLICATE";
  readonly eventType: string;

  constructor(
    code: EventTypeDefinitionError["code"],
    eventType: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Event type "${eventType}": ${reason}`, options);
    this.code = code;
    this.eventType = eventType;
  }
}

type Same<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;

/**
 * Turns a definition whose schema's output differs from its input into a compile error; adds nothing to any other. It is no part of the
 * schema's own type, so that the compiler names a misspelt key of a definition instead of the schema.
 */
export type Unchanging<Schema extends z.ZodType> =
  Same<z.output<Schema>, z.input<Schema>> extends true
    ? unknown
    : { "an event schema must not change data: no transform, default or coercion": never };

/**
 * Defines an event type.
 *
 * `schema` describes `data` and should be a `z.strictObject`, so that a misspelt field is refused. It must not change
 * data: transforms, defaults, coercion, `.catch()` and rewriting checks such as `.trim()` are refused, at compile
 * time where the types show it and otherwise at run time. `aggregateType` defaults to the part of the name before the first
 * dot.
 *
 * When a schema changes so that older data doesn't fit it, raise `version` and add a step to `upcast`, with the schema so far and a
 * function from data of that version to data of the next one. Stored events stay as they are: whoever reads them
 * gets data of the current version.
 *
 * A field with `.meta({ personal: { subject: "userId" } })` is personal data of the subject that the event names there. It is sealed with
 * that subject's key before it is stored, and can be erased with the key.
 *
 * @throws EventTypeDefinitionError when the name doesn't have the form `aggregate.action[.more]` (lower case), a schema
 *   changes data or cannot be written as JSON Schema, an example does not satisfy it, or there is not one step for each version
 *   before the current one, or a personal field names no subject that every event has.
 * @example
 * const earthquakeRecorded = defineEventType({
 *   name: "earthquake.recorded",
 *   description: "A seismometer network located an earthquake.",
 *   schema: z.strictObject({ magnitude: z.number(), place: z.string() }),
 *   example: { magnitude: 4.6, place: "12 km N of Example" },
 * });
 * @example
 * const orderPlaced = defineEventType({
 *   name: "order.placed",
 *   description: "A customer placed an order.",
 *   version: 2,
 *   schema: z.strictObject({ cents: z.int() }),
 *   example: { cents: 1250 },
 *   upcast: {
 *     1: { schema: z.strictObject({ total: z.number() }), up: ({ total }) => ({ cents: Math.round(total * 100) }) },
 *   },
 * });
 */
export function defineEventType<
  const Name extends `${string}.${string}`,
  // Infers the schema itself: methods that other packages add to ZodType keep the compiler from inferring its input.
  Schema extends z.ZodType<JsonObject>,
  Earlier extends EarlierSchemas = Record<never, never>,
  const Version extends number = 1,
>(
  definition: {
    readonly name: Name;
    readonly aggregateType?: string | undefined;
    readonly description: string;
    readonly schema: Schema;
    readonly example: NoInfer<z.output<Schema>>;
    /** The version of `schema`, a whole number from 1. Default 1. */
    readonly version?: Version;
    /** A step for each version before it: `{ 1: { schema, up }, 2: ... }`. */
    readonly upcast?: UpcastSteps<Earlier, Schema>;
    /** Validate the data against `schema` again each time that an event is read. Default false. */
    readonly parse?: boolean;
  } & Unchanging<Schema> &
    CompleteSteps<Earlier, Version>,
): EventTypeDefinition<Name, z.output<Schema>> {
  const { name, description, schema, example, aggregateType = inferAggregateType(name) } = definition;
  checkNames(name, aggregateType);
  const jsonSchema = describeSchema(name, schema);
  checkExample(name, { schema, jsonSchema }, example);
  const { version = 1, upcast = {}, parse = false } = definition;
  // Each step's types were checked above; here any step takes any data.
  const earlier = readSteps(name, version, upcast as StepsOfAny);
  checkStepExamples(name, [...earlier, { version, schema, jsonSchema }], upcast as StepsOfAny);
  // The compiler can't relate a schema to its own output type.
  const typed = schema as unknown as z.ZodType<z.output<Schema>>;
  const personal = personalFieldsOf(name, schema);
  if (parse && [{ personal }, ...earlier].some((each) => each.personal.length > 0))
    throw invalid(name, "it has personal data, which is not always readable, so it can't have parse");
  return {
    name,
    aggregateType,
    description,
    version,
    earlier,
    schema: typed,
    example,
    personal,
    jsonSchema,
    ...(parse && { parse }),
  };
}

type StepsOfAny = Readonly<
  Record<string, Omit<EarlierVersion, "version" | "jsonSchema" | "personal"> & { readonly example?: unknown }>
>;

function readSteps(name: string, version: number, upcast: StepsOfAny): readonly EarlierVersion[] {
  if (!Number.isInteger(version) || version < 1 || version > MAX_SCHEMA_VERSION) {
    throw invalid(name, `the version must be a whole number from 1 to ${MAX_SCHEMA_VERSION}, not ${version}`);
  }
  const earlier = Array.from({ length: version - 1 }, (_, index) => String(index + 1));
  const stray = Object.keys(upcast).find((key) => !earlier.includes(key));
  if (stray !== undefined) {
    throw invalid(name, `upcast has a step for version ${stray}, which is not a version before ${version}`);
  }
  return earlier.map((key) => {
    const step = upcast[key];
    if (step === undefined) {
      throw invalid(
        name,
        `upcast has no step for version ${key}, so events of that version could not be read`,
      );
    }
    if (typeof step.up !== "function") throw invalid(name, `the step of version ${key} has no function up`);
    const { schema, up } = step;
    return {
      version: Number(key),
      schema,
      jsonSchema: describeSchema(name, schema, ` of version ${key}`),
      personal: personalFieldsOf(name, schema, ` of version ${key}`),
      up,
    };
  });
}

/** Takes the example of each step through all the steps after it. */
function checkStepExamples(
  name: string,
  versions: readonly (Pick<EarlierVersion, "version" | "schema" | "jsonSchema"> & Partial<EarlierVersion>)[],
  upcast: StepsOfAny,
): void {
  for (const [index, { version }] of versions.entries()) {
    let data = upcast[version]?.example;
    if (data === undefined) continue;
    for (const { version: reached, up, ...described } of versions.slice(index)) {
      const [first] = issuesOf(name, described, data);
      if (first !== undefined) {
        const made = reached === version ? "" : `, upcast to version ${reached},`;
        throw invalid(
          name,
          `the example of version ${version}${made} does not satisfy the schema: ${first.path} ${first.reason}`,
        );
      }
      // A step may only read: what it writes into would be the event of others.
      if (up !== undefined) data = upcastExample(name, reached, up, frozenCopy(data));
    }
  }
}

function upcastExample(name: string, version: number, up: EarlierVersion["up"], data: unknown): unknown {
  try {
    return up(data as JsonObject);
  } catch (cause) {
    throw invalid(name, `the step of version ${version} threw on an example: ${thrownFacts(cause).message}`, {
      cause,
    });
  }
}

function checkNames(name: string, aggregateType: string): void {
  if (!isEventTypeName(name)) {
    throw invalid(
      name,
      `the name must have the form aggregate.action[.more] in lower case, at most ${MAX_EVENT_TYPE_LENGTH} characters`,
    );
  }
  if (!AGGREGATE_TYPE_PATTERN.test(aggregateType) || aggregateType.length > MAX_AGGREGATE_TYPE_LENGTH) {
    throw invalid(
      name,
      `"${aggregateType}" cannot be an aggregate type: lower case letters, digits, _ and -`,
    );
  }
}

function describeSchema(name: string, schema: z.ZodType, of = ""): Readonly<Record<string, unknown>> {
  try {
    return describeUnchanging(schema);
  } catch (cause) {
    if (cause instanceof ChangingSchemaError) {
      throw invalid(name, `the schema${of} ${cause.message}, but events are stored as they were sent`, {
        cause,
      });
    }
    throw invalid(name, `the schema${of} cannot be written as JSON Schema`, { cause });
  }
}

function personalFieldsOf(name: string, schema: z.ZodType, of = ""): readonly PersonalField[] {
  try {
    return findPersonalFields(schema);
  } catch (cause) {
    if (cause instanceof PersonalFieldError)
      throw invalid(name, `the schema${of} ${cause.message}`, { cause });
    throw cause;
  }
}

interface Described {
  readonly schema: z.ZodType;
  readonly jsonSchema: unknown;
}

function checkExample(name: string, described: Described, example: unknown): void {
  const [first] = issuesOf(name, described, example);
  if (first === undefined) return;
  throw invalid(name, `the example does not satisfy the schema: ${first.path} ${first.reason}`);
}

/** The issues of an example. A schema that can't be run on it, such as an asynchronous one, is a definition error. */
function issuesOf(name: string, { schema, jsonSchema }: Described, example: unknown): readonly EventIssue[] {
  try {
    const result = schema.safeParse(example, { reportInput: true });
    return result.success
      ? checkJson(example)
      : toEventIssues(result.error.issues, fieldsOfJsonSchema(jsonSchema));
  } catch (cause) {
    throw invalid(name, `the schema threw on the example: ${thrownFacts(cause).message}`, { cause });
  }
}

function invalid(name: string, reason: string, options?: ErrorOptions): EventTypeDefinitionError {
  return new EventTypeDefinitionError("EVENT_TYPE_INVALID", name, reason, options);
}
