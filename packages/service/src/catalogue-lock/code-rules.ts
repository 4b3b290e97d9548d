import { createHash } from "node:crypto";
import { type CodeRule, isCheckedFormat } from "@synap/database/schema-changes";
import { z } from "zod";

/**
 * Finds the rules of a schema that its JSON Schema doesn't have: refinements, flags of patterns, and formats that only code checks.
 * Each has a hash of its source, as far as that can be read.
 */
export function codeRulesOf(schema: z.ZodType): readonly CodeRule[] {
  const rules = new Map<string, CodeRule>();
  z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override({ zodSchema, path, jsonSchema }) {
      const pointer = pointerOf(path);
      for (const source of sourcesOf(zodSchema, jsonSchema)) {
        const rule = source === undefined ? { pointer } : { pointer, source: hashOf(source) };
        rules.set(`${pointer} ${rule.source}`, rule);
      }
    },
  });
  return [...rules.values()].sort((one, other) => (textOf(one) < textOf(other) ? -1 : 1));
}

function textOf({ pointer, source = "" }: CodeRule): string {
  return `${pointer} ${source}`;
}

function sourcesOf(part: z.core.$ZodType, jsonSchema: object): readonly (string | undefined)[] {
  const { def } = part._zod;
  const checks: object[] = [def, ...(def.checks ?? []).map(({ _zod }) => ({ run: _zod.check, ..._zod.def }))];
  const sources = checks.flatMap((check) => {
    if (Reflect.get(check, "check") === "custom") return [sourceOfRule(check)];
    const pattern: unknown = Reflect.get(check, "pattern");
    // JSON Schema has the source of a pattern, and none of these flags.
    return pattern instanceof RegExp && /[imsy]/.test(pattern.flags) ? [String(pattern)] : [];
  });
  const format: unknown = Reflect.get(jsonSchema, "format");
  const isUnchecked =
    typeof format === "string" &&
    !["pattern", "allOf"].some((keyword) => keyword in jsonSchema) &&
    !isCheckedFormat(format);
  return [...sources, ...(isUnchecked ? [`format ${format}`] : [])];
}

/** The source of a refinement; undefined for that of `superRefine`, which Zod wraps in a function of its own. */
function sourceOfRule(check: object): string | undefined {
  const source = functionText(Reflect.get(check, "fn")) ?? functionText(Reflect.get(check, "run"));
  return source === WRAPPED ? undefined : source;
}

const WRAPPED = functionText(z.any().superRefine(() => {})._zod.def.checks?.[0]?._zod.check);

function functionText(value: unknown): string | undefined {
  return typeof value === "function" ? Function.prototype.toString.call(value) : undefined;
}

function hashOf(source: string): string {
  return createHash("sha256").update(source).digest("hex").slice(0, 16);
}

/** The place in the data of a place in a JSON Schema. */
function pointerOf(path: readonly (string | number)[]): string {
  let pointer = "";
  for (let index = 0; index < path.length; index += 1) {
    const keyword = path[index];
    const next = String(path[index + 1]);
    if (keyword === "properties") pointer += `/${next.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    else if (keyword === "prefixItems") pointer += `/${next}`;
    else if (keyword === "items" || keyword === "additionalProperties" || keyword === "propertyNames")
      pointer += "/*";
    const hasName = ["properties", "prefixItems", "anyOf", "oneOf", "allOf", "$defs"].includes(
      String(keyword),
    );
    if (hasName) index += 1;
  }
  return pointer;
}
