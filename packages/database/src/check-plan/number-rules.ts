import type { z } from "zod";
import type { Rule, RuleName } from "./check-plan.ts";
import { Obstacle } from "./obstacle.ts";

type Definition =
  | z.core.$ZodCheckGreaterThanDef
  | z.core.$ZodCheckLessThanDef
  | z.core.$ZodCheckMultipleOfDef
  | z.core.$ZodCheckNumberFormatDef;

/**
 * The rules of a check of a number.
 *
 * @param isWhole true if an earlier check refuses fractions, after which Zod runs no further ones on them
 */
export function numberRules(definition: Definition, isWhole: boolean): Rule[] {
  const whole = isWhole && ({ whole: true } as const);
  switch (definition.check) {
    case "number_format":
      return formatRules(definition.format);
    case "multiple_of":
      return [{ ...multiple(definition.value), ...whole }];
    case "greater_than":
      return [{ ...bound(definition.inclusive ? "min" : "above", definition.value), ...whole }];
    case "less_than":
      return [{ ...bound(definition.inclusive ? "max" : "below", definition.value), ...whole }];
  }
}

const RANGES: Readonly<Record<string, readonly [number, number] | undefined>> = {
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
  float32: [-3.4028234663852886e38, 3.4028234663852886e38],
};

function formatRules(format: string): Rule[] {
  const isInteger = format.includes("int");
  const range = RANGES[format];
  const whole = isInteger && ({ whole: true } as const);
  return [
    ...(isInteger ? [WHOLE] : []),
    ...(range === undefined
      ? []
      : [
          { ...bound("min", range[0]), ...whole },
          { ...bound("max", range[1]), ...whole },
        ]),
  ];
}

const WHOLE: Rule = {
  is: "whole",
  code: "wrong-type",
  reason: "must be a whole number, not a fraction",
  aborts: true,
};

const RELATIONS = {
  min: ["too-small", "at least"],
  above: ["too-small", "more than"],
  max: ["too-big", "at most"],
  below: ["too-big", "less than"],
} as const satisfies Partial<Record<RuleName, readonly [string, string]>>;

function bound(is: keyof typeof RELATIONS, limit: unknown): Rule {
  if (typeof limit !== "number") throw new Obstacle("it compares with a value that is no number");
  const [code, text] = RELATIONS[is];
  // Nothing in JSON is beyond infinity, and JSON can't hold it.
  const kept = Number.isFinite(limit) ? limit : Math.sign(limit) * Number.MAX_VALUE;
  return { is, limit: kept, code, reason: `must be ${text} ${limit}` };
}

function multiple(limit: unknown): Rule {
  const isUsual = typeof limit === "number" && Math.abs(limit) >= 1e-100 && Math.abs(limit) <= 1e100;
  if (!isUsual) throw new Obstacle("it must be a multiple of an unusual number");
  return { is: "multiple", limit, code: "not-a-multiple", reason: `must be a multiple of ${limit}` };
}
