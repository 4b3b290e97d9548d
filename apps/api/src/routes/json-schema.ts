import { z } from "zod";

/**
 * Describes a schema in a document of the API: as JSON Schema of what is sent, without what a document can't contain.
 *
 * @param revive changes parts of the description, as the reviver of `JSON.parse`
 */
export function describeSchema(
  schema: z.ZodType,
  options: Parameters<typeof z.toJSONSchema>[1] = {},
  revive?: (key: string, value: unknown) => unknown,
): Record<string, unknown> {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: "input", ...options });
  return JSON.parse(JSON.stringify(described), revive);
}
