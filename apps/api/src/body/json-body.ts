import type { ProblemCode } from "@synap/types/http";
import { zodFaults } from "@synap/types/internal";
import type { z } from "zod";
import { Problem } from "../problems/problem.ts";
import type { JsonIssue } from "./diagnose-json.ts";
import { parseJson } from "./parse-json.ts";
import { decodeText, readBody } from "./read-body.ts";

/** Limits of a body. */
export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly maxBodyValues: number;
  readonly maxDepth: number;
}

/**
 * Reads and checks the JSON body of a request that is not an event.
 *
 * @throws Problem for a malformed body; `body-invalid` when it does not match the schema
 */
export async function readJsonBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limits: BodyLimits,
): Promise<z.output<Schema>> {
  const { maxDepth, maxBodyValues: maxValues } = limits;
  const reading = parseJson(decodeText(await readBody(request, limits.maxBodyBytes)), {
    maxDepth,
    maxValues,
  });
  if (!reading.ok) {
    const unreadable = unreadableBody(reading.findings, maxValues);
    if (unreadable !== undefined) throw unreadable;
    throw bodyInvalid(reading.findings.map(({ path, reason }) => ({ path, reason })));
  }
  const parsed = schema.safeParse(reading.value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw bodyInvalid(zodFaults(parsed.error.issues));
}

/** Reads an optional JSON body. Without one, returns an empty object. */
export async function readOptionalJsonBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limits: BodyLimits,
): Promise<z.output<Schema>> {
  const { headers } = request;
  const isEmpty = (headers.get("content-length") ?? "0") === "0" && !headers.has("transfer-encoding");
  return isEmpty ? schema.parse({}) : readJsonBody(request, schema, limits);
}

function bodyInvalid(faults: readonly { readonly path: string; readonly reason: string }[]): Problem {
  const detail = faults.map(({ path, reason }) => `${path === "" ? "The body" : `"${path}"`} ${reason}`);
  return new Problem("body-invalid", `${detail.slice(0, 5).join("; ")}.`, {
    errors: faults.slice(0, 100).map((fault) => ({ ...fault, code: "body-invalid" })),
  });
}

/** Problem responses of any route that takes JSON, for the definition of the route. */
export const JSON_BODY_PROBLEMS = [
  "malformed-json",
  "invalid-utf8",
  "body-missing",
  "body-interrupted",
  "body-too-large",
  "too-many-values",
  "unsupported-media-type",
  "unsupported-encoding",
] as const satisfies readonly ProblemCode[];

/**
 * Builds the problem of a body that can't be read at all: it is not JSON from some position on, which the problem has as
 * `position`, or it has too many values. Undefined if the findings concern parts of the body only.
 */
export function unreadableBody(findings: readonly JsonIssue[], maxValues: number): Problem | undefined {
  if (findings.some(({ code }) => code === "too-many-values")) return tooManyValues(maxValues);
  const syntax = findings.find(({ code }) => code === "malformed-json");
  if (syntax === undefined) return undefined;
  const { reason, position } = syntax;
  return new Problem("malformed-json", `The body is not JSON: ${reason}.`, {
    errors: [{ path: "", code: "malformed-json", reason }],
    members: { position },
  });
}

function tooManyValues(limit: number): Problem {
  const detail = `The body may have at most ${limit} values, including objects and arrays. Send fewer events at a time.`;
  return new Problem("too-many-values", detail, { members: { limit } });
}
