import type { EventIssue } from "@synap/types";
import type { commandBody } from "@synap/types/http";
import { KEPT_TEXT, zodFaults } from "@synap/types/internal";
import type { z } from "zod";
import type { ApiContext } from "../../api-dependencies.ts";
import { type BodyLimits, readJson } from "../../body/read-body.ts";
import { Problem } from "../../problems/problem.ts";
import { describeSchema } from "../json-schema.ts";

/** String formats that already exclude both. */
const PLAIN_FORMATS: ReadonlySet<string> = new Set(["date", "date-time", "uuid"]);

/**
 * JSON Schema of a command's body for the OpenAPI document. A command's input becomes the data of events, so its strings are
 * limited to what an event can hold, even where the command's own schema is not.
 */
export function describeCommandBody(schema: z.ZodType): Record<string, unknown> {
  return describeSchema(schema, {
    override: ({ jsonSchema }) => {
      const { type, enum: values, const: value, format, pattern } = jsonSchema;
      if (type !== "string" || values !== undefined || value !== undefined) return;
      if (format !== undefined && PLAIN_FORMATS.has(format)) return;
      if (pattern === undefined) jsonSchema.pattern = KEPT_TEXT;
      else if (pattern !== KEPT_TEXT)
        jsonSchema.allOf = [...(jsonSchema.allOf ?? []), { pattern: KEPT_TEXT }];
    },
  });
}

export type CommandBody = z.output<ReturnType<typeof commandBody>>;

/**
 * Reads and checks the body of a command.
 * @throws Problem `command-invalid`, and those of any body
 */
export async function readCommandBody(
  context: ApiContext,
  schema: ReturnType<typeof commandBody>,
  { configuration }: { readonly configuration: BodyLimits },
): Promise<CommandBody> {
  // The body itself, around its data.
  const value = await readJson(context.req.raw, configuration, { around: 1, problemOf: commandInvalid });
  // Zod's output may lack fields, and a schema's own functions may change what they are given: the decider receives the command
  // as it was sent.
  const parsed = schema.safeParse(structuredClone(value), { reportInput: true });
  if (!parsed.success) throw commandInvalid(zodFaults(parsed.error.issues));
  return value as CommandBody;
}

function commandInvalid(errors: readonly EventIssue[]): Problem {
  const [first] = errors;
  const where = first === undefined || first.path === "" ? "The command" : `"${first.path}"`;
  const detail = `${where} ${first?.reason ?? "is not valid"}.`;
  return new Problem("command-invalid", detail, { errors: errors.slice(0, 100) });
}
