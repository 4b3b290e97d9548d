import { isPlain, isUtf8, readMediaType } from "@synap/http";
import type { EventIssue } from "@synap/types";
import type { ProblemCode } from "@synap/types/http";
import { zodFaults } from "@synap/types/internal";
import type { z } from "zod";
import { Problem } from "../problems/problem.ts";
import type { JsonIssue } from "./diagnose-json.ts";
import { parseJson } from "./parse-json.ts";

/**
 * Reads the bytes of a request's body, at most `maxBytes`. A body with a Content-Length is refused by that length
 * (Node enforces it); a chunked body is counted as it arrives.
 *
 * @throws Problem `body-too-large`, `unsupported-encoding`, `body-interrupted`, `body-missing`
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  refuseEncoding(request);
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxBytes) throw tooLarge(maxBytes);
  const body = await (announced === null ? readChunks(request, maxBytes) : readAnnounced(request));
  if (body.byteLength === 0) throw new Problem("body-missing", "Send the event in the body of the request.");
  return body;
}

function refuseEncoding(request: Request): void {
  const encoding = request.headers.get("content-encoding");
  if (isPlain(encoding)) return;
  throw new Problem(
    "unsupported-encoding",
    `Content-Encoding "${encoding}" is not supported: send plain bytes.`,
    {
      headers: { "accept-encoding": "identity" },
    },
  );
}

async function readAnnounced(request: Request): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (cause) {
    throw interrupted(cause);
  }
}

async function readChunks(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw interrupted(cause);
    });
    if (done) return Buffer.concat(chunks, length);
    length += value.byteLength;
    if (length > maxBytes) {
      // Not cancelled, because that would close the connection before the response is sent. The server drains the rest
      // of the body afterwards, within bounds.
      reader.releaseLock();
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem(
    "body-too-large",
    `The body may have at most ${maxBytes} bytes. Send fewer events at a time.`,
    {
      members: { limit: maxBytes },
    },
  );
}

function interrupted(cause: unknown): Problem {
  return new Problem("body-interrupted", "The connection ended in the middle of the body.", { cause });
}

/**
 * Returns the media type of a request's body: one of `allowed`, in lower case.
 *
 * @throws Problem `unsupported-media-type` when it is missing or not allowed, its charset is not UTF-8, or a parameter is repeated
 */
export function readContentType<Allowed extends string>(
  request: Request,
  allowed: readonly Allowed[],
): Allowed {
  const header = request.headers.get("content-type");
  // Nearly every request sends exactly this.
  const [exact] = allowed;
  if (exact !== undefined && header === exact) return exact;
  const mediaType = readMediaType(header ?? "");
  const found = allowed.find((type) => type === mediaType?.essence);
  if (mediaType !== undefined && found !== undefined && isUtf8(mediaType)) return found;
  const given = header === null ? "the request has none" : `the request has "${header.slice(0, 100)}"`;
  const wanted = allowed.map((type) => `"${type}"`).join(" or ");
  throw new Problem("unsupported-media-type", `Content-Type must be ${wanted} in UTF-8; ${given}.`, {
    headers: { "accept-post": allowed.join(", ") },
  });
}

// Shared, because constructing a decoder costs more than decoding a small body. It keeps no state between texts.
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes a body. A byte order mark at its start is skipped; bytes that are not UTF-8 are refused rather
 * than replaced, because a replaced character is a changed event.
 *
 * @throws Problem `invalid-utf8` with the position
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    const position = firstInvalidByte(bytes);
    throw new Problem(
      "invalid-utf8",
      `The bytes from number ${position} on, counted from 0, are not UTF-8.`,
      { cause },
    );
  }
}

/** Length of the longest prefix that is UTF-8, apart from an unfinished character at its end. Binary search. */
function firstInvalidByte(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.byteLength;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isStartOfText(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  return valid;
}

function isStartOfText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Limits of a body. */
export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly maxBodyValues: number;
  readonly maxDepth: number;
}

/** The place of the limited part in a body, and the problem of its faults. */
export interface BodyForm {
  /** Number of containers around the part to which `maxDepth` applies. */
  readonly around: number;
  /** Builds the problem of parts that would not be kept as they are. */
  readonly problemOf: (issues: readonly EventIssue[]) => Problem;
  /** Called with the bytes and before they are parsed; throws what makes parsing them needless. */
  readonly onRead?: () => void;
}

/**
 * Reads the JSON of a request's body, unchanged by parsing.
 *
 * @throws Problem for a body that can't be read, and `problemOf` the faults of its parts
 */
export async function readJson(
  request: Request,
  { maxBodyBytes, maxBodyValues: maxValues, maxDepth }: BodyLimits,
  { around, problemOf, onRead }: BodyForm,
): Promise<unknown> {
  const bytes = await readBody(request, maxBodyBytes);
  onRead?.();
  const reading = parseJson(decodeText(bytes), { maxDepth, around, maxValues });
  if (reading.ok) return reading.value;
  throw (
    unreadableBody(reading.findings, maxValues) ??
    problemOf(reading.findings.map(({ code, path, reason }) => ({ code, path, reason })))
  );
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
  const value = await readJson(request, limits, { around: 0, problemOf: bodyInvalid });
  const parsed = schema.safeParse(value, { reportInput: true });
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
