import { TIMESTAMP_FORM } from "@synap/types/internal";
import { z } from "zod";
import type { Rule, RuleName } from "./check-plan.ts";
import { listOf } from "./literal-values.ts";
import { Obstacle } from "./obstacle.ts";
import { patternRule } from "./string-rules.ts";

type Schema = z.core.$ZodType;

/**
 * The rules of a schema's refinements. A refinement is code, so the schema must say the same in JSON Schema, with
 * `.meta({ pattern: "..." })` after the refinement: those keywords are what the database checks.
 *
 * @throws Obstacle for a refinement that no keyword follows, or with a keyword that the database can't check
 */
export function refinementRules(schema: Schema): Rule[] {
  const refinements = refinementsOf(schema);
  if (refinements.length === 0) return [];
  const keywords = declaredAfterwards(schema, refinements.length);
  if (keywords.length === 0)
    throw new Obstacle("it has a refinement (refine or check) that no keyword of JSON Schema expresses");
  const code = refinements.length === 1 ? codeOf(refinements[0]) : "invalid";
  // The keywords may repeat what the schema refuses anyway.
  return keywords.map(([name, value]) => ({ ...ruleOf(name, value, code), last: true }));
}

function refinementsOf(schema: Schema): z.core.$ZodCheckDef[] {
  const checks = schema._zod.def.checks ?? [];
  return checks.map((check) => check._zod.def).filter((definition) => definition.check === "custom");
}

/** A refinement may name its own code with `params: { code: "..." }`, as in the HTTP API. */
function codeOf(refinement: z.core.$ZodCheckDef | undefined): string {
  const params: unknown = Reflect.get(refinement ?? {}, "params");
  const code: unknown =
    typeof params === "object" && params !== null ? Reflect.get(params, "code") : undefined;
  return typeof code === "string" ? code : "invalid";
}

/** The keywords that were added to the schema once it had all of its refinements. */
function declaredAfterwards(schema: Schema, count: number): [string, unknown][] {
  let before = schema._zod.parent;
  while (before !== undefined && refinementsOf(before).length === count) before = before._zod.parent;
  const inherited = before === undefined ? {} : assertions(before);
  return Object.entries(assertions(schema)).filter(
    ([name, value]) => JSON.stringify(Reflect.get(inherited, name)) !== JSON.stringify(value),
  );
}

function assertions(schema: Schema): Record<string, unknown> {
  const meta: Record<string, unknown> = z.globalRegistry.get(schema) ?? {};
  return Object.fromEntries(Object.entries(meta).filter(([name]) => !ANNOTATIONS.has(name)));
}

const ANNOTATIONS: ReadonlySet<string> = new Set([
  "id",
  "title",
  "description",
  "examples",
  "example",
  "deprecated",
  "default",
  "format",
  "readOnly",
  "writeOnly",
  "$comment",
]);

const LIMITS: Readonly<Record<string, readonly [RuleName, string]>> = {
  minLength: ["min-size", "must be longer"],
  maxLength: ["max-size", "must be shorter"],
  minItems: ["min-size", "must have more items"],
  maxItems: ["max-size", "must have fewer items"],
  minProperties: ["min-fields", "must name more fields"],
  maxProperties: ["max-fields", "must name fewer fields"],
  minimum: ["min", "must be greater"],
  exclusiveMinimum: ["above", "must be greater"],
  maximum: ["max", "must be less"],
  exclusiveMaximum: ["below", "must be less"],
};

function ruleOf(name: string, value: unknown, code: string): Rule {
  const limit = LIMITS[name];
  if (limit !== undefined && typeof value === "number")
    return { is: limit[0], limit: value, code, reason: `${limit[1]}: ${name} is ${value}` };
  if (name === "pattern" && value === TIMESTAMP_FORM)
    return { is: "moment", code, reason: "is not a time that Synap accepts" };
  if (name === "pattern" && typeof value === "string")
    return patternRule(readPattern(value), code, `must match the pattern ${value}`);
  if (name === "uniqueItems" && value === true)
    return { is: "distinct", code, reason: "must not have two equal items" };
  const isNegated = name === "not";
  const allowed = valuesOf(isNegated ? value : { [name]: value });
  if (allowed === undefined) throw new Obstacle(`its refinement is expressed with ${name}`);
  const reason = `must ${isNegated ? "not " : ""}be ${listOf(allowed)}`;
  return { is: isNegated ? "none-of" : "one-of", values: allowed, code, reason };
}

/** JSON Schema recommends Unicode patterns, in which a character beyond U+FFFF is one character. */
function readPattern(source: string): RegExp {
  try {
    return new RegExp(source, "u");
  } catch {
    throw new Obstacle(`its refinement has the pattern ${source}, which is not one of Unicode`);
  }
}

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const constants = z.union([
  z.strictObject({ enum: z.array(scalar) }).transform((schema) => schema.enum),
  z.strictObject({ const: scalar }).transform((schema) => [schema.const]),
]);

/** The values of a schema that is nothing but `enum` or `const`. */
function valuesOf(schema: unknown): readonly (string | number | boolean | null)[] | undefined {
  return constants.safeParse(schema).data;
}
