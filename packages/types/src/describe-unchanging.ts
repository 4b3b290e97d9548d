import { z } from "zod";

/** A schema changes what it checks, where what was given has to stay as it is. */
export class ChangingSchemaError extends Error {
  override readonly name = "ChangingSchemaError";
  readonly code = "SCHEMA_CHANGES_DATA";
}

/**
 * The schema as JSON Schema (draft 2020-12). Schemas that would give out something else than they were given are refused.
 *
 * @throws ChangingSchemaError when it has a transform, default, coercion, `.catch()` or a rewriting check such as `.trim()`
 * @throws Error when it can't be written as JSON Schema
 */
export function describeUnchanging(schema: z.ZodType): Readonly<Record<string, unknown>> {
  // Zod calls `override` for every part of the schema it could write, and `unrepresentable` for those it could not.
  return z.toJSONSchema(schema, {
    override: ({ zodSchema, path }) => refuseChange(zodSchema, path),
    unrepresentable: ({ zodSchema, path }) => {
      refuseChange(zodSchema, path);
      return "throw";
    },
  });
}

function refuseChange(part: z.core.$ZodType, path: readonly (string | number)[]): void {
  const change = findChange(part);
  if (change !== undefined) throw new ChangingSchemaError(`changes data (${change} at "${path.join(".")}")`);
}

const CHANGING_KINDS = new Set<string>(["default", "prefault", "catch", "transform", "pipe"]);

/** Names what in this part of a schema would make its output differ from its input. */
function findChange(part: z.core.$ZodType): string | undefined {
  const definition = part._zod.def;
  if (CHANGING_KINDS.has(definition.type)) return definition.type;
  if ("coerce" in definition && definition.coerce === true) return "coercion";
  if (definition.checks?.some((check) => check._zod.def.check === "overwrite")) return "a rewriting check";
  return undefined;
}
