import { z } from "zod";
import { malformedJson } from "../problems/malformed-json.ts";
import { Problem } from "../problems/problem.ts";
import { decodeText } from "./decode-text.ts";
import { parseJson } from "./parse-json.ts";
import { readBody } from "./read-body.ts";

/**
 * The JSON body of a request that is not an event, checked.
 *
 * @throws Problem for whatever is wrong with its form; `body-invalid` when it does not fit the schema
 */
export async function readJsonBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limits: { readonly maxBodyBytes: number; readonly maxDepth: number },
): Promise<z.output<Schema>> {
  const reading = parseJson(decodeText(await readBody(request, limits.maxBodyBytes)), limits.maxDepth);
  if (!reading.ok) {
    const syntax = reading.findings.find(({ code }) => code === "malformed-json");
    if (syntax !== undefined) throw malformedJson(syntax);
    throw bodyInvalid(reading.findings.map(({ path, reason }) => ({ path, reason })));
  }
  const parsed = schema.safeParse(reading.value);
  if (parsed.success) return parsed.data;
  throw bodyInvalid(
    parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), reason: message })),
  );
}

/** The body of a route that takes no input: an empty object. */
export const emptyBody = z.strictObject({});

/** The same for a body that may be left out, which is then an empty object. */
export async function readOptionalJsonBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limits: { readonly maxBodyBytes: number; readonly maxDepth: number },
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
