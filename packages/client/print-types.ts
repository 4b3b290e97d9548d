import { HTTP_RESOURCES, PROBLEM_CODES, PROBLEM_MEMBERS } from "@synap/types/http";
import { z } from "zod";

/** The part of JSON Schema that the resources of the API use. */
interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: unknown;
  readonly description?: string;
}

const HEAD = "// Written by declarations.ts from the schemas of @synap/types/http.\n";

/** The declarations of `resources.ts` without the schemas from which the source has them. */
export function printResources(): string {
  const resources = Object.entries<z.ZodType>(HTTP_RESOURCES).map(
    ([name, schema]) => `  ${name}: ${typeOf(schema)};`,
  );
  return `${HEAD}import type { JsonObject } from "./contract.js";
/** The resources of the API, by their names in the OpenAPI document. */
export interface Resources {
${resources.join("\n")}
}
/** A resource of the API by its name in the OpenAPI document: \`Resource<"DeadLetter">\`. */
export type Resource<Name extends keyof Resources> = Resources[Name];
/** The name of a resource. */
export type ResourceName = keyof Resources;
`;
}

/** The declarations of `problems.ts`. */
export function printProblems(): string {
  const codes = Object.keys(PROBLEM_CODES).map((code) => `  | ${JSON.stringify(code)}`);
  const members = Object.entries<z.ZodType>(PROBLEM_MEMBERS).map(
    ([code, schema]) => `  ${JSON.stringify(code)}: ${typeOf(schema)};`,
  );
  return `${HEAD}import type { Resource } from "./resources.js";
/** The stable code of a problem, on which programs can branch. */
export type ProblemCode =
${codes.join("\n")};
/** The additional members of the problem documents of some codes. */
interface ProblemMembers {
${members.join("\n")}
}
interface ProblemBase {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly NonNullable<Resource<"Problem">["errors"]>[number][];
  readonly results?: readonly NonNullable<Resource<"Problem">["results"]>[number][];
}
/** The problem document of one code. */
export type ProblemOf<Code extends ProblemCode> = ProblemBase & { readonly code: Code } & (Code extends keyof ProblemMembers
  ? ProblemMembers[Code]
  : unknown);
/** A problem document whose additional members depend on its code. */
export type ProblemDocument = { [Code in ProblemCode]: ProblemOf<Code> }[ProblemCode];
`;
}

function typeOf(schema: z.ZodType): string {
  // The form of JSON Schema that Zod writes.
  return print(z.toJSONSchema(schema, { io: "output" }) as JsonSchema, "  ");
}

/** @throws TypeError for a schema of a kind that no resource has yet */
function print(schema: JsonSchema, indent: string): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf !== undefined) return schema.anyOf.map((each) => print(each, indent)).join(" | ");
  if (Array.isArray(schema.type)) {
    return schema.type.map((type: string) => print({ ...schema, type }, indent)).join(" | ");
  }
  switch (schema.type) {
    case undefined:
      return "unknown";
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    case "integer":
    case "number":
      return "number";
    case "array":
      return `(${print(schema.items ?? {}, indent)})[]`;
    case "object":
      return printObject(schema, indent);
    default:
      throw new TypeError(`declarations.ts can't print ${JSON.stringify(schema)}.`);
  }
}

function printObject(schema: JsonSchema, indent: string): string {
  const { properties, required = [], additionalProperties = false, propertyNames } = schema;
  const others = typeof additionalProperties === "object" ? additionalProperties : undefined;
  const holdsAnything = others !== undefined && Object.keys(others).length === 0;
  // A record of anything is a JSON object.
  if (propertyNames !== undefined && holdsAnything) return "JsonObject";
  const inner = `${indent}  `;
  const fields = Object.entries(properties ?? {}).map(([name, field]) => {
    const comment = field.description === undefined ? "" : `${inner}/** ${field.description} */\n`;
    const isRequired = required.includes(name);
    const type = `${print(field, inner)}${isRequired ? "" : " | undefined"}`;
    return `${comment}${inner}${name}${isRequired ? "" : "?"}: ${type};`;
  });
  if (others !== undefined) fields.push(`${inner}[name: string]: ${print(others, inner)};`);
  return `{\n${fields.join("\n")}\n${indent}}`;
}
