import { snakeName } from "@synap/types/internal";
import { OTHERS_WORDS } from "./snake-case.ts";

/** The name of a component's form in snake case in the OpenAPI document. */
export function snakeCaseComponent(component: string): string {
  return `SnakeCase${component}`;
}

/** Describes what `inSnakeCase` makes of the values of a JSON Schema. */
export function schemaInSnakeCase(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      if (keyword === "properties") return [keyword, renameProperties(value)];
      if (keyword === "required" && Array.isArray(value)) return [keyword, value.map(snakeName)];
      if (keyword === "description") return [keyword, renameMentioned(String(value))];
      return [keyword, ofPart(value)];
    }),
  );
}

function ofPart(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(ofPart);
  return isSchema(part) ? schemaInSnakeCase(part) : part;
}

function renameProperties(properties: unknown): unknown {
  if (!isSchema(properties)) return properties;
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      snakeName(name),
      OTHERS_WORDS.has(name) ? schema : ofPart(schema),
    ]),
  );
}

/** Renames the properties that a description names as code. */
function renameMentioned(description: string): string {
  return description.replaceAll(/`([a-z]+(?:[A-Z][a-z]*)+)`/g, (_, name: string) => `\`${snakeName(name)}\``);
}

function isSchema(part: unknown): part is Readonly<Record<string, unknown>> {
  return typeof part === "object" && part !== null && !Array.isArray(part);
}
