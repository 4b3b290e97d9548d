import type { z } from "zod";
import type { CheckNode, CheckPlan, JsonKind, NodeIndex, Rule } from "./check-plan.ts";
import { cap, checkRules } from "./check-rules.ts";
import { findEndlessCheck } from "./endless-check.ts";
import { withCandidates } from "./form-kinds.ts";
import { enumValues, oneOf } from "./literal-values.ts";
import { Obstacle } from "./obstacle.ts";
import { refinementRules } from "./refinements.ts";
import { patternRule } from "./string-rules.ts";

type Schema = z.core.$ZodType;

/** A plan, or the reason why the database can't check a schema. */
export type CompiledCheck =
  | { readonly plan: CheckPlan; readonly obstacle?: undefined }
  | { readonly plan?: undefined; readonly obstacle: string };

/**
 * Compiles a schema into the plan by which the database checks data. It reads the Zod schema and not its JSON Schema, which has
 * lost refinements, the flags of patterns, and the difference between a nullable value and a union.
 */
export function compileCheck(schema: Schema): CompiledCheck {
  try {
    const compiler = new Compiler();
    compiler.nodeOf(schema, []);
    const endless = findEndlessCheck(compiler.nodes);
    if (endless !== undefined) return { obstacle: `data ${endless}` };
    return { plan: compiler.nodes.map((node) => withCandidates(compiler.nodes, node)) };
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    return { obstacle: `${error.at}: ${error.message}` };
  }
}

const ANY: CheckNode = {};

class Compiler {
  readonly nodes: CheckNode[] = [];
  readonly #known = new Map<Schema, NodeIndex>();

  /** The index of a schema's node. A schema that contains itself gets one node. */
  nodeOf(schema: Schema, way: readonly string[]): NodeIndex {
    const known = this.#known.get(schema);
    if (known !== undefined) return known;
    const wrapped = wrappedBy(schema);
    if (wrapped !== undefined) return this.nodeOf(wrapped, way);
    const index = this.nodes.push({}) - 1;
    this.#known.set(schema, index);
    try {
      this.nodes[index] = this.#compile(schema, way);
    } catch (error) {
      if (!(error instanceof Obstacle) || error.at !== "") throw error;
      throw new Obstacle(error.message, ["data", ...way].join("."));
    }
    return index;
  }

  #compile(schema: Schema, way: readonly string[]): CheckNode {
    const node = this.#shapeOf(schema, way);
    const rules = [...checkRules(schema), ...refinementRules(schema)].map((rule) =>
      node.cap !== undefined && rule.is === "max-size" ? { ...rule, aborts: true as const } : rule,
    );
    if (rules.length === 0) return node;
    return { ...node, rules: [...(node.rules ?? []), ...rules] };
  }

  #shapeOf(schema: Schema, way: readonly string[]): CheckNode {
    // The union of Zod's own schemas, which differ in `def.type`.
    const { def } = (schema as z.core.$ZodTypes)._zod;
    switch (def.type) {
      case "any":
      case "unknown":
        return ANY;
      case "string":
        return { kinds: ["string"], what: "a string" };
      case "number":
        return { kinds: ["number"], what: "a number" };
      case "boolean":
        return { kinds: ["boolean"], what: "true or false" };
      case "null":
        return { kinds: ["null"], what: "null" };
      case "never":
        return { kinds: [], what: "absent" };
      case "literal":
        return oneOf(def.values);
      case "enum":
        return oneOf(enumValues(def.entries));
      case "template_literal":
        return {
          kinds: ["string"],
          what: "a string",
          rules: [{ ...templateRule(schema), aborts: true }],
        };
      case "optional":
      case "nonoptional":
      case "readonly":
        return allOf([this.nodeOf(def.innerType, way)]);
      case "lazy":
        return allOf([this.nodeOf(innerOfLazy(schema), way)]);
      case "nullable":
        return { nullable: this.nodeOf(def.innerType, way) };
      case "array":
        return {
          kinds: ["array"],
          what: "an array",
          items: this.nodeOf(def.element, [...way, "[]"]),
          ...cap(def.checks),
        };
      case "tuple":
        return this.#tuple(def, way);
      case "object":
        return this.#object(def, way);
      case "record":
        return this.#record(def, way);
      case "union":
        return this.#union(def, way);
      case "intersection":
        return allOf([this.nodeOf(def.left, way), this.nodeOf(def.right, way)]);
      default:
        throw new Obstacle(`it has the type ${def.type}`);
    }
  }

  #object(def: z.core.$ZodObjectDef, way: readonly string[]): CheckNode {
    const fields = Object.entries(def.shape);
    const additional =
      def.catchall === undefined || isOpen(def.catchall)
        ? undefined
        : def.catchall._zod.def.type === "never"
          ? false
          : this.nodeOf(def.catchall, [...way, "*"]);
    return {
      ...OBJECT,
      properties: this.#properties(fields, way),
      required: fields.filter(([, field]) => field._zod.optin === undefined).map(([name]) => name),
      ...(additional !== undefined && { additional }),
    };
  }

  #properties(
    fields: readonly (readonly [string, Schema])[],
    way: readonly string[],
  ): Record<string, NodeIndex> {
    return Object.fromEntries(fields.map(([name, field]) => [name, this.nodeOf(field, [...way, name])]));
  }

  #record(def: z.core.$ZodRecordDef, way: readonly string[]): CheckNode {
    const { keyType, valueType, mode, partial } = def;
    const loose = mode === "loose" && ({ loose: true } as const);
    const names = keyType._zod.values;
    if (names === undefined) {
      const { type } = keyType._zod.def;
      if (type !== "string" && type !== "template_literal")
        throw new Obstacle(`its keys have the type ${type}`);
      const keys = this.nodeOf(keyType, [...way, "key"]);
      return {
        ...OBJECT,
        properties: {},
        // The name of a field is always a string.
        ...(this.nodes[keys]?.rules !== undefined && { keys }),
        additional: this.nodeOf(valueType, [...way, "*"]),
        ...loose,
      };
    }
    const listed = [...names]
      .filter((name) => typeof name === "string" || typeof name === "number")
      .map(String);
    const value = this.nodeOf(valueType, [...way, "*"]);
    const mayBeAbsent = partial === true || acceptsNothing(valueType);
    return {
      ...OBJECT,
      properties: Object.fromEntries(listed.map((name) => [name, value])),
      required: mayBeAbsent ? [] : listed,
      ...(mode !== "loose" && { additional: false }),
    };
  }

  #tuple(def: z.core.$ZodTupleDef, way: readonly string[]): CheckNode {
    const { items, rest } = def;
    const least = items.findLastIndex((item) => item._zod.optin === undefined) + 1;
    const needed = [...items.keys()].filter((place) => {
      const item = items[place];
      return item !== undefined && !acceptsNothing(item);
    });
    return {
      kinds: ["array"],
      what: "an array",
      tuple: {
        prefix: items.map((item, index) => this.nodeOf(item, [...way, `[${index}]`])),
        least: rest === null ? least : 0,
        needed: rest === null ? [] : needed,
        rest: rest === null ? null : this.nodeOf(rest, [...way, "[]"]),
      },
      ...cap(def.checks),
    };
  }

  #union(def: z.core.$ZodUnionDef, way: readonly string[]): CheckNode {
    const [only] = def.options;
    if (def.options.length === 1 && only !== undefined) return allOf([this.nodeOf(only, way)]);
    if ("discriminator" in def && typeof def.discriminator === "string")
      return this.#route(def, def.discriminator, way);
    const forms = def.options.map((option) => this.nodeOf(option, way));
    if (def.inclusive === false) return { forms, choice: "one" };
    return mergeScalars(forms.map((form) => this.nodes[form])) ?? { forms, choice: "any" };
  }

  #route(def: z.core.$ZodUnionDef, by: string, way: readonly string[]): CheckNode {
    if ("unionFallback" in def && def.unionFallback === true)
      throw new Obstacle("it is a discriminated union with a fallback");
    const to: Record<string, NodeIndex> = {};
    let absent: NodeIndex | null = null;
    for (const option of def.options) {
      const node = this.nodeOf(option, way);
      for (const value of option._zod.propValues?.[by] ?? []) {
        if (value === undefined) absent = node;
        else to[routeKey(value)] = node;
      }
    }
    return { ...OBJECT, route: { by, to, absent } };
  }
}

/** The schema in a wrapper that adds nothing for a value that is there. */
function wrappedBy(schema: Schema): Schema | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if ((def.checks ?? []).length > 0) return undefined;
  if (def.type === "lazy") return innerOfLazy(schema);
  return def.type === "optional" || def.type === "nonoptional" || def.type === "readonly"
    ? def.innerType
    : undefined;
}

/** Zod keeps what the function returned, so that a recursive schema has one identity. */
function innerOfLazy(schema: Schema): Schema {
  return (schema as z.core.$ZodLazy)._zod.innerType;
}

const OBJECT = { kinds: ["object"], what: "a JSON object" } as const satisfies CheckNode;

function allOf(forms: readonly NodeIndex[]): CheckNode {
  return { forms, choice: "all" };
}

function isOpen(catchall: Schema): boolean {
  const { type, checks } = catchall._zod.def;
  return (type === "any" || type === "unknown") && (checks ?? []).length === 0;
}

/** The text of a field's value as PostgreSQL prints jsonb. */
function routeKey(value: unknown): string {
  const isExact = typeof value !== "number" || Number.isSafeInteger(value);
  if (!isExact || typeof value === "bigint" || typeof value === "symbol")
    throw new Obstacle("it is discriminated by a number with a fraction");
  return JSON.stringify(value);
}

/** True if a schema accepts that a value is absent. */
function acceptsNothing(schema: Schema): boolean {
  const outcome = schema["~standard"].validate(undefined);
  return !(outcome instanceof Promise) && outcome.issues === undefined;
}

function templateRule(schema: Schema): Rule {
  const { pattern } = schema._zod;
  if (pattern === undefined) throw new Obstacle("it is a template without a pattern");
  return patternRule(pattern, "wrong-format", `must match the pattern ${pattern}`);
}

/** One node for a union of plain kinds such as `string | number`, the most frequent one. */
function mergeScalars(options: readonly (CheckNode | undefined)[]): CheckNode | undefined {
  const kinds = new Set<JsonKind>();
  for (const option of options) {
    const isPlain =
      option?.kinds !== undefined && Object.keys(option).every((key) => key === "kinds" || key === "what");
    if (!isPlain) return undefined;
    for (const kind of option.kinds ?? []) kinds.add(kind);
  }
  return { kinds: [...kinds], code: "no-match", what: [...kinds].join(" or ") };
}
