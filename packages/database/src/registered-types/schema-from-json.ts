import type { JsonObject } from "@synap/types";
import { checkJson } from "@synap/types/internal";
import { z } from "zod";
import { compileCheck } from "../check-plan/compile-check.ts";
import { countOf, numberOf, type Part, type Refuse, textOf, valuesOf } from "./scalar-schemas.ts";
import type { SchemaIssue, SchemaIssueCode } from "./schema-issue.ts";
import {
  ANNOTATIONS,
  DIALECT,
  isKeyword,
  isTypeName,
  KEYWORDS,
  REASONS,
  TYPE_NAMES,
  type TypeName,
} from "./schema-keywords.ts";
import { definitionName, MAX_DEPTH, pointerToken, workIssues } from "./schema-work.ts";

/** The schema by which data is validated, or the reasons why there is none. */
export type SchemaReading =
  | { readonly ok: true; readonly schema: z.ZodType<JsonObject, JsonObject> }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/** Maximum size of a schema, as JSON. */
export const MAX_SCHEMA_BYTES = 64 * 1024;
const MAX_ISSUES = 100;

/**
 * Makes the schema that validates data from a JSON Schema (draft 2020-12). It accepts exactly the data that the JSON Schema accepts, and so does
 * the check in the database: a keyword that one of them can't check is refused, and never skipped.
 */
export function schemaFromJson(document: unknown): SchemaReading {
  if (!isObject(document)) return refused("", "keyword-invalid", "must be a JSON object");
  const [unsound] = checkJson(document, { maxDepth: MAX_DEPTH });
  if (unsound !== undefined) {
    const isLarge = unsound.code === "too-deep" || unsound.code === "too-many-values";
    return refused(
      "",
      isLarge ? "too-large" : "keyword-invalid",
      `has a part that ${unsound.reason}: ${unsound.path}`,
    );
  }
  const bytes = Buffer.byteLength(JSON.stringify(document));
  if (bytes > MAX_SCHEMA_BYTES)
    return refused("", "too-large", `takes ${bytes} bytes; at most ${MAX_SCHEMA_BYTES} are allowed`);
  const tooMuch = workIssues(document);
  if (tooMuch !== undefined) return { ok: false, issues: [tooMuch] };
  const reader = new SchemaReader(document);
  const schema = reader.read();
  if (reader.issues.length > 0) return { ok: false, issues: reader.issues.slice(0, MAX_ISSUES) };
  const { obstacle } = compileCheck(schema);
  if (obstacle !== undefined)
    return refused("", "uncheckable", `can't be checked by the database: ${obstacle}`);
  // Its root has the type object.
  return { ok: true, schema: schema as z.ZodType<JsonObject, JsonObject> };
}

function refused(path: string, code: SchemaIssueCode, reason: string): SchemaReading {
  return { ok: false, issues: [{ path, code, reason }] };
}

class SchemaReader {
  readonly issues: SchemaIssue[] = [];
  readonly #root: Part;
  readonly #definitions = new Map<string, z.ZodType>();

  constructor(root: Part) {
    this.#root = root;
  }

  read(): z.ZodType {
    const { $schema, $defs, ...root } = this.#root;
    if ($schema !== undefined && $schema !== DIALECT)
      this.#refuse("/$schema", "keyword-invalid", `must be ${DIALECT}`);
    if (root["type"] !== "object")
      this.#refuse("/type", "keyword-invalid", 'must be "object", as the data of every event is');
    if ($defs !== undefined && !isObject($defs))
      this.#refuse("/$defs", "keyword-invalid", "must be a JSON object");
    const schema = this.#part(root, "");
    // Also those that nothing refers to: a later version may.
    for (const name of Object.keys(isObject($defs) ? $defs : {})) this.#definition(name);
    return schema;
  }

  #part(part: unknown, at: string): z.ZodType {
    if (part === true) return ANYTHING;
    if (!isObject(part))
      return this.#refuse(at, "keyword-invalid", "must be a schema: a JSON object, or true");
    const [decisive] = ["$ref", "const", "enum", "anyOf", "oneOf"].filter((name) =>
      Object.hasOwn(part, name),
    );
    switch (decisive) {
      case "$ref":
        this.#allow(part, at, ["$ref"]);
        return this.#reference(part["$ref"], `${at}/$ref`);
      case "const":
        this.#allow(part, at, ["const", "type"]);
        return valuesOf([part["const"]], part, `${at}/const`, this.#refuse);
      case "enum":
        this.#allow(part, at, ["enum", "type"]);
        return valuesOf(part["enum"], part, `${at}/enum`, this.#refuse);
      case "anyOf":
      case "oneOf":
        this.#allow(part, at, [decisive]);
        return this.#forms(decisive, part[decisive], `${at}/${decisive}`);
      default:
        return this.#typed(part, at);
    }
  }

  #typed(part: Part, at: string): z.ZodType {
    const { type } = part;
    if (type === undefined) {
      const allowed = this.#allow(part, at, []);
      return allowed ? ANYTHING : z.never();
    }
    const names = [type].flat();
    if (names.length === 0 || new Set(names).size !== names.length || !names.every(isTypeName))
      return this.#refuse(
        `${at}/type`,
        "keyword-invalid",
        `must be one of ${TYPE_NAMES.join(", ")}, or a list of them`,
      );
    if (names.includes("integer") && names.includes("number"))
      return this.#refuse(`${at}/type`, "keyword-invalid", "must not list both integer and number");
    this.#allow(part, at, ["type", ...names.flatMap((name) => [...KEYWORDS[name]])]);
    const others = names.filter((name) => name !== "null").map((name) => this.#ofType(name, part, at));
    const [only, ...rest] = others;
    if (only === undefined) return z.null();
    const schema = rest.length === 0 ? only : z.union(others);
    return names.includes("null") ? z.nullable(schema) : schema;
  }

  #ofType(name: TypeName, part: Part, at: string): z.ZodType {
    switch (name) {
      case "string":
        return textOf(part, at, this.#refuse);
      case "number":
        return numberOf(z.number(), part, at, this.#refuse);
      case "integer":
        return numberOf(z.int(), part, at, this.#refuse);
      case "boolean":
        return z.boolean();
      case "null":
        return z.null();
      case "array":
        return this.#array(part, at);
      case "object":
        return this.#object(part, at);
    }
  }

  #array(part: Part, at: string): z.ZodType {
    const items = part["items"] === undefined ? ANYTHING : this.#part(part["items"], `${at}/items`);
    let array = z.array(items);
    const [least, most] = [
      countOf(part, "minItems", at, this.#refuse),
      countOf(part, "maxItems", at, this.#refuse),
    ];
    if (least !== undefined) array = array.min(least);
    if (most !== undefined) array = array.max(most);
    return array;
  }

  #object(part: Part, at: string): z.ZodType {
    const { properties = {}, required = [], additionalProperties = true } = part;
    if (!isObject(properties))
      return this.#refuse(`${at}/properties`, "keyword-invalid", "must be a JSON object");
    if (!Array.isArray(required) || !required.every((name) => typeof name === "string"))
      return this.#refuse(`${at}/required`, "keyword-invalid", "must be a list of names");
    for (const [index, name] of required.entries()) {
      if (Object.hasOwn(properties, name)) continue;
      const reason = `names ${JSON.stringify(name)}, which properties doesn't describe`;
      this.#refuse(`${at}/required/${index}`, "keyword-invalid", reason);
    }
    const fields = Object.entries(properties).map(([name, field]) => {
      const place = `${at}/properties/${pointerToken(name)}`;
      // Every object of JavaScript has these, so that a field that is absent would not look so.
      if (name in Object.prototype)
        this.#refuse(place, "name-reserved", "has a name that can't be checked for");
      const schema = this.#part(field, place);
      return [name, required.includes(name) ? schema : z.optional(schema)] as const;
    });
    const shape = Object.fromEntries(fields);
    if (additionalProperties === false) return z.strictObject(shape);
    if (additionalProperties === true) return z.looseObject(shape);
    return z.object(shape).catchall(this.#part(additionalProperties, `${at}/additionalProperties`));
  }

  #forms(keyword: "anyOf" | "oneOf", list: unknown, at: string): z.ZodType {
    if (!Array.isArray(list) || list.length === 0)
      return this.#refuse(at, "keyword-invalid", "must be a list of schemas");
    const forms = list.map((form, index) => this.#part(form, `${at}/${index}`));
    return keyword === "anyOf" || forms.length === 1 ? z.union(forms) : z.xor(forms);
  }

  #reference(target: unknown, at: string): z.ZodType {
    const name = definitionName(target);
    if (name !== undefined && Object.hasOwn(objectOf(this.#root["$defs"]), name))
      return this.#definition(name);
    return this.#refuse(at, "reference-unknown", 'must be "#/$defs/" and the name of a schema there');
  }

  #definition(name: string): z.ZodType {
    const known = this.#definitions.get(name);
    if (known !== undefined) return known;
    const at = `/$defs/${pointerToken(name)}`;
    if (this.#leadsToItself(name)) {
      const nothing = this.#refuse(
        at,
        "reference-unknown",
        "is nothing but a reference that leads to itself",
      );
      this.#definitions.set(name, nothing);
      return nothing;
    }
    let made: z.ZodType | undefined;
    const schema = z.lazy(() => {
      if (made === undefined) throw new Error(`The schema of ${at} was used before it was made.`);
      return made;
    });
    this.#definitions.set(name, schema);
    made = this.#part(this.#sourceOf(name), at);
    return schema;
  }

  #sourceOf(name: string): unknown {
    return objectOf(this.#root["$defs"])[name];
  }

  #leadsToItself(name: string): boolean {
    const passed = new Set<string>();
    let at: string | undefined = name;
    while (at !== undefined && !passed.has(at)) {
      passed.add(at);
      at = definitionName(objectOf(this.#sourceOf(at))["$ref"]);
    }
    return at !== undefined;
  }

  /** Refuses all other keywords; false if there is one. */
  #allow(part: Part, at: string, names: readonly string[]): boolean {
    const strangers = Object.keys(part).filter((name) => !ANNOTATIONS.has(name) && !names.includes(name));
    for (const name of strangers) {
      const [main] = names;
      const here =
        main === undefined
          ? "needs a type beside it"
          : main === "type"
            ? "does not concern values of this type"
            : `can't be beside ${main}`;
      const reason = REASONS[name] ?? (isKeyword(name) ? here : "is not supported");
      this.#refuse(`${at}/${pointerToken(name)}`, "keyword-unsupported", reason);
    }
    return strangers.length === 0;
  }

  readonly #refuse: Refuse = (path, code, reason) => {
    this.issues.push({ path, code, reason });
    return z.never();
  };
}

const ANYTHING: z.ZodType = z.unknown();

function objectOf(part: unknown): Part {
  return isObject(part) ? part : {};
}

function isObject(value: unknown): value is Part {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
