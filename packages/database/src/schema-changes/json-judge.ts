import type { ValidateFunction } from "ajv/dist/2020.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { patternOf } from "../check-plan/linear-pattern.ts";
import type { JsonSchema } from "./json-schema.ts";

/** Thrown for a JSON Schema that can't be used for validation. */
export class JsonSchemaError extends Error {
  override readonly name = "JsonSchemaError";
  readonly code = "JSON_SCHEMA_INVALID";
}

/** The verdict on a document. `pointer` and `reason` name the first fault of one that is refused. */
export type JudgeVerdict =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly pointer: string; readonly reason: string };

/** Validates documents against a schema. */
export interface JsonJudge {
  judge(document: unknown): JudgeVerdict;
  /** The verdict on a value for a part of the schema, whose references are those of the whole. */
  accepts(part: JsonSchema, value: unknown): boolean;
}

/**
 * Creates a judge by a JSON Schema (draft 2020-12). Formats are checked as well as patterns.
 *
 * @throws JsonSchemaError when the schema is invalid
 */
export function createJsonJudge(root: JsonSchema): JsonJudge {
  const { ajv, name } = nextName();
  const whole = compile(() => ajv.addSchema(asDocument(root), name).getSchema(name));
  const parts = new Map<string, Validator>();
  return {
    judge(document) {
      if (whole(document)) return { accepted: true };
      // Unions report the faults of each of their forms, and then their own.
      const error = whole.errors?.at(-1);
      return {
        accepted: false,
        pointer: `${error?.instancePath ?? ""}${missingName(error?.params)}`,
        reason: error?.message ?? "is refused",
      };
    },
    accepts(part, value) {
      const text = JSON.stringify(part);
      let validate = parts.get(text);
      if (validate === undefined) {
        validate = compile(() => ajv.compile(absolute(part, name)));
        parts.set(text, validate);
      }
      return validate(value);
    },
  };
}

type Validator = ValidateFunction<unknown>;

/** Schemas that one validator keeps. Making it takes longer than most schemas do. */
const KEPT_SCHEMAS = 500;

/** Ajv's name for how it writes a pattern as code; it is not written here. */
const REGULAR_EXPRESSIONS = Object.assign(patternOf, { code: "new RegExp" });

let shared: { readonly ajv: Ajv2020; schemas: number } | undefined;

function sharedValidator(): { readonly ajv: Ajv2020; schemas: number } {
  if (shared === undefined || shared.schemas >= KEPT_SCHEMAS) {
    const ajv = new Ajv2020({ strict: false, logger: false, code: { regExp: REGULAR_EXPRESSIONS } });
    formats.default(ajv);
    shared = { ajv, schemas: 0 };
  }
  return shared;
}

/** A validator, and a name in it that no schema has. */
function nextName(): { readonly ajv: Ajv2020; readonly name: string } {
  const validator = sharedValidator();
  validator.schemas += 1;
  return { ajv: validator.ajv, name: `synap:schema-${validator.schemas}` };
}

function compile(make: () => ReturnType<Ajv2020["getSchema"]>): Validator {
  try {
    const validate = make();
    if (validate === undefined || "$async" in validate)
      throw new TypeError("it is no schema to validate with");
    return validate;
  } catch (cause) {
    throw new JsonSchemaError(
      `The JSON Schema can't be used: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
}

/** A document under Synap's name for it: an `$id` of its own would lead its references elsewhere. */
function asDocument(root: JsonSchema): JsonSchema {
  if (typeof root === "boolean") return root;
  const { $id: _id, ...rest } = root;
  return rest;
}

/** The same part with references that name the whole, so that it can stand alone. */
function absolute(part: JsonSchema, name: string): JsonSchema {
  if (typeof part === "boolean") return part;
  return JSON.parse(JSON.stringify(part), (key, value: unknown) =>
    key === "$ref" && typeof value === "string" && value.startsWith("#") ? `${name}${value}` : value,
  );
}

function missingName(params: unknown): string {
  if (typeof params !== "object" || params === null) return "";
  const name: unknown = Reflect.get(params, "missingProperty") ?? Reflect.get(params, "additionalProperty");
  return typeof name === "string" ? `/${escapeToken(name)}` : "";
}

/** A name as JSON pointers have it. */
export function escapeToken(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** True for a format that the validation by JSON Schema checks; any other is checked by code alone, if at all. */
export function isCheckedFormat(format: string): boolean {
  return Object.hasOwn(sharedValidator().ajv.formats, format);
}
