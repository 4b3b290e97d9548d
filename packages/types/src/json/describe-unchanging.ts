import { z } from "zod";

/** Thrown for a schema whose output can differ from its input, where values must stay unchanged. */
export class ChangingSchemaError extends Error {
  override readonly name = "ChangingSchemaError";
  readonly code = "SCHEMA_CHANGES_DATA";
}

/**
 * Converts a schema to JSON Schema (draft 2020-12), and refuses schemas whose output can differ from their input.
 *
 * @throws ChangingSchemaError when it has a transform, default, coercion, `.catch()` or a rewriting check such as `.trim()`
 * @throws Error when JSON Schema can't express it
 */
export function describeUnchanging(schema: z.ZodType): Readonly<Record<string, unknown>> {
  // Zod calls `override` for every part of the schema that it can express, and `unrepresentable` for the others.
  // As of the input, because an object that is not strict keeps fields that its schema does not name.
  return z.toJSONSchema(schema, {
    io: "input",
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

const CHANGING_KINDS = new Set<string>(["default", "prefault", "catch", "transform"]);

/** Names the feature of this part of a schema that could make its output differ from its input. */
function findChange(part: z.core.$ZodType): string | undefined {
  const definition = part._zod.def;
  if (part instanceof z.core.$ZodPipe) {
    const parts = [part._zod.def.in, part._zod.def.out];
    return parts.some((each) => each._zod.def.type === "transform") ? "transform" : "pipe";
  }
  if (CHANGING_KINDS.has(definition.type)) return definition.type;
  if ("coerce" in definition && definition.coerce === true) return "coercion";
  if (definition.checks?.some((check) => check._zod.def.check === "overwrite")) return "a rewriting check";
  return undefined;
}
