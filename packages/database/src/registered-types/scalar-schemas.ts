import { counted } from "@synap/types/internal";
import { z } from "zod";
import { linearPattern } from "../check-plan/linear-pattern.ts";
import { Obstacle } from "../check-plan/obstacle.ts";
import type { SchemaIssueCode } from "./schema-issue.ts";
import { FORMATS, hasType } from "./schema-keywords.ts";

/** A part of a JSON Schema that is an object of keywords. */
export type Part = Readonly<Record<string, unknown>>;

/** Notes a part that can't be checked, and returns a schema for its place. */
export type Refuse = (path: string, code: SchemaIssueCode, reason: string) => z.ZodType;

const MAX_VALUES = 1_000;

/** The schema of a text. */
export function textOf(part: Part, at: string, refuse: Refuse): z.ZodType {
  const checks: z.core.$ZodCheck<string>[] = [];
  const [least, most] = [countOf(part, "minLength", at, refuse), countOf(part, "maxLength", at, refuse)];
  if (least !== undefined) checks.push(z.minLength(least));
  if (most !== undefined) checks.push(z.maxLength(most));
  const pattern = patternOf(part["pattern"], `${at}/pattern`, refuse);
  if (pattern !== undefined) checks.push(z.regex(pattern));
  const base = formatOf(part["format"], `${at}/format`, refuse);
  return checks.length === 0 ? base : base.check(...checks);
}

function patternOf(source: unknown, at: string, refuse: Refuse): RegExp | undefined {
  if (source === undefined) return undefined;
  if (typeof source !== "string") {
    refuse(at, "keyword-invalid", "must be text");
    return undefined;
  }
  try {
    return linearPattern(source);
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    refuse(at, "pattern-unsupported", `can't be used: ${error.message}`);
    return undefined;
  }
}

function formatOf(name: unknown, at: string, refuse: Refuse): z.ZodType<string> {
  if (name === undefined) return z.string();
  const make = typeof name === "string" && Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  if (make !== undefined) return make();
  refuse(at, "format-unsupported", `must be one of ${Object.keys(FORMATS).join(", ")}`);
  return z.string();
}

/** The schema of a number, or a whole number. */
export function numberOf(base: z.ZodType<number>, part: Part, at: string, refuse: Refuse): z.ZodType {
  const limits = {
    minimum: (limit: number) => z.gte(limit),
    exclusiveMinimum: (limit: number) => z.gt(limit),
    maximum: (limit: number) => z.lte(limit),
    exclusiveMaximum: (limit: number) => z.lt(limit),
  } as const;
  const checks = Object.entries(limits).flatMap(([name, make]) => {
    const limit = part[name];
    if (limit === undefined) return [];
    if (typeof limit === "number" && Number.isFinite(limit)) return [make(limit)];
    refuse(`${at}/${name}`, "keyword-invalid", "must be a number");
    return [];
  });
  return checks.length === 0 ? base : base.check(...checks);
}

/** The schema of a list of values, one of which it must be. */
export function valuesOf(values: unknown, { type }: Part, at: string, refuse: Refuse): z.ZodType {
  if (!Array.isArray(values) || values.length === 0 || values.length > MAX_VALUES)
    return refuse(at, "keyword-invalid", `must be a list of 1 to ${counted(MAX_VALUES, "value")}`);
  if (!values.every(isScalar))
    return refuse(at, "keyword-invalid", "must be of texts, numbers, true, false and null only");
  const types = [type].flat();
  if (type !== undefined && !values.every((value) => types.some((name) => hasType(value, name))))
    return refuse(at, "keyword-invalid", "has a value of another type than its own");
  return z.literal(values);
}

/** A count of a keyword; undefined without one, or with one that is refused. */
export function countOf(part: Part, name: string, at: string, refuse: Refuse): number | undefined {
  const count = part[name];
  if (count === undefined) return undefined;
  if (typeof count === "number" && Number.isSafeInteger(count) && count >= 0) return count;
  refuse(`${at}/${name}`, "keyword-invalid", "must be a whole number from 0");
  return undefined;
}

function isScalar(value: unknown): value is string | number | boolean | null {
  if (typeof value === "number") return Number.isFinite(value);
  return value === null || typeof value === "string" || typeof value === "boolean";
}
