import type { z } from "zod";
import type { Rule } from "./check-plan.ts";
import { FORMAT_PATTERNS, UNCHECKED_FORMATS } from "./format-patterns.ts";
import { Obstacle } from "./obstacle.ts";
import { translatePattern } from "./translate-pattern.ts";

const WRONG_FORMAT = "wrong-format";

/** The rule of a text's format. @throws Obstacle for a format that a pattern can't decide, or whose pattern can't be translated */
export function formatRule(definition: z.core.$ZodCheckStringFormatDef): Rule {
  const { format } = definition;
  const affix = affixRule(definition);
  if (affix !== undefined) return affix;
  // A format of the application has a pattern if it was defined by one, and otherwise code alone.
  if (UNCHECKED_FORMATS.has(format) || ("fn" in definition && definition.pattern === undefined))
    throw new Obstacle(`its format is ${format}, which takes code to check`);
  if (format === "url" && ("hostname" in definition || "protocol" in definition))
    throw new Obstacle("its format is url with a hostname or a protocol of its own");
  const pattern = FORMAT_PATTERNS[format] ?? definition.pattern;
  if (pattern === undefined) throw new Obstacle(`its format is ${format}, which has no pattern`);
  const reason = format === "regex" ? `must match the pattern ${pattern}` : `must be a valid ${format}`;
  return patternRule(pattern, WRONG_FORMAT, reason);
}

/** The rule of a pattern. @throws Obstacle when it can't be translated */
export function patternRule(source: RegExp, code: string, reason: string): Rule {
  const { pattern, utf16 } = translatePattern(source);
  return { is: "pattern", text: pattern, ...(utf16 && { utf16 }), code, reason };
}

/** The rule of a text's beginning, end or part. */
function affixRule(definition: object): Rule | undefined {
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(definition, name);
    return typeof value === "string" ? value : undefined;
  };
  const [prefix, suffix, part] = [text("prefix"), text("suffix"), text("includes")];
  if (part !== undefined && Reflect.get(definition, "position") !== undefined)
    throw new Obstacle("it includes a text from a position on");
  if (prefix !== undefined) return affix("starts", "start with", prefix);
  if (suffix !== undefined) return affix("ends", "end with", suffix);
  return part === undefined ? undefined : affix("contains", "include", part);
}

function affix(is: "starts" | "ends" | "contains", verb: string, text: string): Rule {
  if (!text.isWellFormed() || text.includes("\0"))
    throw new Obstacle("it compares with a text that is no Unicode");
  return { is, text, code: WRONG_FORMAT, reason: `must ${verb} ${JSON.stringify(text)}` };
}
