import type { z } from "zod";
import type { Rule } from "./check-plan.ts";
import { numberRules } from "./number-rules.ts";
import { Obstacle } from "./obstacle.ts";
import { formatRule } from "./string-rules.ts";

/** An array that is longer than its limit is not examined any further. A tuple has its own limit. */
export function cap(checks: readonly z.core.$ZodCheck<never>[] | undefined): { cap?: number } {
  const limits: number[] = [];
  for (const check of checks ?? []) {
    const rule = sizeRules(check)?.find(({ is }) => is === "max-size");
    if (rule?.limit !== undefined) limits.push(rule.limit);
  }
  return limits.length === 0 ? {} : { cap: Math.min(...limits) };
}

/** The rules of the checks of a schema, such as `min`, `max` and formats, in the order in which Zod runs them. */
export function checkRules(schema: z.core.$ZodType): Rule[] {
  const { def, traits } = schema._zod;
  // A format such as z.email() is a schema and its own first check.
  const own = traits.has("$ZodCheck") ? [schema as unknown as z.core.$ZodCheck<never>] : [];
  const rules: Rule[] = [];
  for (const check of [...own, ...(def.checks ?? [])]) {
    const isWhole = rules.some(({ is }) => is === "whole");
    rules.push(...(sizeRules(check) ?? valueRules(check, isWhole)));
  }
  return rules;
}

function sizeRules(check: z.core.$ZodCheck<never>): Rule[] | undefined {
  const { def } = (check as unknown as z.core.$ZodChecks)._zod;
  const limits = {
    min: (limit: number) => size("min-size", limit),
    max: (limit: number) => size("max-size", limit),
  };
  switch (def.check) {
    case "min_length":
      return [limits.min(def.minimum)];
    case "max_length":
      return [limits.max(def.maximum)];
    case "length_equals":
      return [limits.min(def.length), limits.max(def.length)];
    default:
      return undefined;
  }
}

function size(is: "min-size" | "max-size", limit: number): Rule {
  return is === "min-size"
    ? { is, limit, code: "too-small", reason: `must not be shorter than ${limit}` }
    : { is, limit, code: "too-big", reason: `must not be longer than ${limit}` };
}

function valueRules(check: z.core.$ZodCheck<never>, isWhole: boolean): Rule[] {
  const { def } = (check as unknown as z.core.$ZodChecks)._zod;
  switch (def.check) {
    case "string_format":
      return [formatRule(def)];
    case "greater_than":
    case "less_than":
    case "multiple_of":
    case "number_format":
      return numberRules(def, isWhole);
    default: {
      const kind: string = def.check;
      // Refinements are read together with the keywords that express them.
      if (kind === "custom") return [];
      throw new Obstacle(`it has the check ${kind}`);
    }
  }
}
