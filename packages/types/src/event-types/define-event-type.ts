import type { z } from "zod";
import type { StoredEvent } from "../event/event.ts";
import { inferAggregateType } from "../event/event-input.ts";
import {
  AGGREGATE_TYPE_PATTERN,
  EVENT_TYPE_PATTERN,
  MAX_AGGREGATE_TYPE_LENGTH,
  MAX_EVENT_TYPE_LENGTH,
} from "../event/synap-event.ts";
import type { EventIssue } from "../issues/event-issue.ts";
import { thrownFacts } from "../issues/thrown-facts.ts";
import { fieldsOfJsonSchema, toEventIssues } from "../issues/zod-issues.ts";
import { checkJson } from "../json/check-json.ts";
import { ChangingSchemaError, describeUnchanging } from "../json/describe-unchanging.ts";
import type { JsonObject } from "../json/json.ts";

/** An event type: its name, its meaning and the schema of its data. Made by `defineEventType`. */
export interface EventTypeDefinition<Name extends string = string, Data extends JsonObject = JsonObject> {
  readonly name: Name;
  readonly aggregateType: string;
  readonly description: string;
  /** Validates the data. Its output is never used: the data is stored as it was sent. */
  readonly schema: z.ZodType<Data>;
  readonly example: Data;
  /** The schema as JSON Schema (draft 2020-12), for documentation and programs in other languages. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
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
 * @throws EventTypeDefinitionError when the name doesn't have the form `aggregate.action[.more]` (lower case), the schema
 *   changes data or cannot be written as JSON Schema, or the example does not satisfy it.
 * @example
 * const earthquakeRecorded = defineEventType({
 *   name: "earthquake.recorded",
 *   description: "A seismometer network located an earthquake.",
 *   schema: z.strictObject({ magnitude: z.number(), place: z.string() }),
 *   example: { magnitude: 4.6, place: "12 km N of Example" },
 * });
 */
export function defineEventType<
  const Name extends `${string}.${string}`,
  // Infers the schema itself rather than its output and input: other packages add methods to ZodType (OpenAPI
  // generators do), which keep the compiler from inferring the input.
  Schema extends z.ZodType<JsonObject>,
>(
  definition: {
    readonly name: Name;
    readonly aggregateType?: string | undefined;
    readonly description: string;
    readonly schema: Schema;
    readonly example: NoInfer<z.output<Schema>>;
  } & Unchanging<Schema>,
): EventTypeDefinition<Name, z.output<Schema>> {
  const { name, description, schema, example, aggregateType = inferAggregateType(name) } = definition;
  checkNames(name, aggregateType);
  const jsonSchema = describeSchema(name, schema);
  checkExample(name, { schema, jsonSchema }, example);
  // The compiler can't relate a schema to its own output type.
  const typed = schema as unknown as z.ZodType<z.output<Schema>>;
  return { name, aggregateType, description, schema: typed, example, jsonSchema };
}

function checkNames(name: string, aggregateType: string): void {
  if (!EVENT_TYPE_PATTERN.test(name) || name.length > MAX_EVENT_TYPE_LENGTH) {
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

function describeSchema(name: string, schema: z.ZodType): Readonly<Record<string, unknown>> {
  try {
    return describeUnchanging(schema);
  } catch (cause) {
    if (cause instanceof ChangingSchemaError) {
      throw invalid(name, `the schema ${cause.message}, but events are stored as they were sent`, { cause });
    }
    throw invalid(name, "the schema cannot be written as JSON Schema", { cause });
  }
}

interface Described {
  readonly schema: z.ZodType;
  readonly jsonSchema: unknown;
}

function checkExample(name: string, described: Described, example: unknown): void {
  const [first] = issuesOf(name, described, example);
  if (first !== undefined)
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
