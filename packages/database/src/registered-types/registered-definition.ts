import { defineEventType, type EventTypeDefinition, type JsonObject } from "@synap/types";
import type { z } from "zod";
import { schemaFromJson } from "./schema-from-json.ts";
import { RegisteredSchemaError } from "./schema-issue.ts";

/** An event type as it is registered. */
export interface TypeDescription {
  /** `aggregate.action[.more]`, in lower case. */
  readonly name: string;
  /** Default: the part of the name before the first dot. */
  readonly aggregateType?: string | undefined;
  readonly description: string;
  /** JSON Schema (draft 2020-12) of `data`. */
  readonly schema: unknown;
  /** An example of `data`. */
  readonly example: unknown;
}

/**
 * Makes the definition of a registered type from all its versions, the oldest first. It validates as the definition of a type in code does, and
 * its JSON Schemas are those that were registered.
 *
 * @throws RegisteredSchemaError for a schema that can't be registered, or an example that doesn't satisfy it; EventTypeDefinitionError for a
 *   name that none can have
 */
export function registeredDefinition(versions: readonly TypeDescription[]): EventTypeDefinition {
  const made = versions.map((version) => ({ ...version, made: schemaOf(version) }));
  const current = made.at(-1);
  if (current === undefined) throw new RangeError("A registered event type has at least one version.");
  const { name, aggregateType, description, schema, example } = current;
  // The compiler can't know that a name has a dot, and the example was validated.
  const checked = defineEventType({
    name: name as `${string}.${string}`,
    aggregateType,
    description,
    schema: current.made,
    example: example as JsonObject,
  });
  return {
    ...checked,
    isRegistered: true,
    version: versions.length,
    earlier: made.slice(0, -1).map((each, index) => ({
      version: index + 1,
      schema: each.made,
      jsonSchema: each.schema as Readonly<Record<string, unknown>>,
      personal: [],
      up: (data) => data,
    })),
    jsonSchema: schema as Readonly<Record<string, unknown>>,
  };
}

/** @throws RegisteredSchemaError */
function schemaOf({ name, schema, example }: TypeDescription): z.ZodType<JsonObject, JsonObject> {
  const reading = schemaFromJson(schema);
  if (!reading.ok) throw new RegisteredSchemaError(name, reading.issues);
  const [fault] = reading.schema.safeParse(example).error?.issues ?? [];
  if (fault === undefined) return reading.schema;
  const at = ["example", ...fault.path.map(String)].join(".");
  const issue = {
    path: "",
    code: "example-invalid",
    reason: `refuses the example: ${at}: ${fault.message}`,
  } as const;
  throw new RegisteredSchemaError(name, [issue]);
}
