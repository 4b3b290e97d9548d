import { z } from "zod";
import { day } from "../catalogue/fields.ts";
import { jsonObject } from "../event/synap-event.ts";
import { readTimestamp, TIMESTAMP_FORM } from "../event/timestamp.ts";
import { checkJson } from "../json/check-json.ts";
import type { JsonObject } from "../json/json.ts";

const GIVEN_ONCE = "must be given exactly once";

/** Pattern for text without NUL in the OpenAPI document: the database can't store NUL. */
export const NO_NUL = "^[^\\u0000]*$";

/**
 * A whole number within bounds, parsed from the text of a URL. The OpenAPI document says `integer` with the same bounds, so it
 * can't allow what the route refuses.
 */
export function wholeNumber(min: number, max: number) {
  return z
    .string(GIVEN_ONCE)
    .refine(
      (text) => /^(?:0|[1-9]\d{0,15})$/.test(text) && Number(text) >= min && Number(text) <= max,
      max === Number.MAX_SAFE_INTEGER
        ? `must be a whole number from ${min}`
        : `must be a whole number from ${min} to ${max}`,
    )
    .meta({ type: "integer", minimum: min, maximum: max })
    .transform(Number);
}

/** Text of 1 to `max` characters without NUL, which the database can't store. */
export function plainText(max: number) {
  return z
    .string(GIVEN_ONCE)
    .min(1, "must not be empty")
    .max(max, `must have at most ${max} characters`)
    .refine((text) => !text.includes("\0"), "must not hold NUL")
    .meta({ pattern: NO_NUL });
}

/**
 * A path segment that names a thing. `.` and `..` are refused: every client resolves them before it
 * sends the request, so nothing of that name could be reached.
 */
export const pathId = plainText(128)
  .refine((text) => text !== "." && text !== "..", "must not be . or ..")
  .meta({ pattern: NO_NUL, not: { enum: [".", ".."] } });

/** The path of an aggregate. */
export const aggregatePath = z.object({
  type: z
    .string()
    .max(64)
    .regex(/^[a-z][a-z0-9_-]*$/, "must consist of lower-case letters, digits, _ and -")
    .describe("The aggregate type, for example reservation."),
  id: pathId.describe("Id of the aggregate, 1 to 128 characters."),
});

/** A moment: RFC 3339, from 1970 to 9999, no finer than a millisecond. */
export const moment = z
  .string(GIVEN_ONCE)
  .refine(
    (value) => readTimestamp(value).ok,
    "must be an RFC 3339 date-time from 1970 to 9999, no finer than a millisecond",
  )
  .meta({ format: "date-time", pattern: TIMESTAMP_FORM });

/** The moment of the rows of a read model: how they were, or what was known. */
export const pastParameters = {
  asOf: moment
    .optional()
    .describe(
      "The rows as they were at this moment, not in the future, by when events were stored. Default: as they are.",
    ),
  knownAt: moment
    .optional()
    .describe(
      "The rows as they were known at this moment, not in the future: from what was recorded by then, with corrections applied. Default, with `validAt`: now.",
    ),
  validAt: moment
    .optional()
    .describe(
      "The rows that held at this moment, by the validity of the events. Default, with `knownAt`: the same moment.",
    ),
};

/** The name of a user, a guest or an actor: 1 to 128 characters. */
export const nameParameter = plainText(128);

/** A day, YYYY-MM-DD. */
export const dayParameter = z
  .string(GIVEN_ONCE)
  .refine((value) => day.safeParse(value).success, "must be an existing day as YYYY-MM-DD")
  .meta({ format: "date", pattern: "^(?!0000)" });

/** The page size of lists where the request has none. */
export const DEFAULT_PAGE_SIZE = 100;

/** The largest page size of lists. */
export const MAX_PAGE_SIZE = 1_000;

/** The page size, 1 to 1,000 rows. */
export const limitParameter = (byDefault: number) =>
  wholeNumber(1, MAX_PAGE_SIZE)
    .optional()
    .describe(`Page size, 1 to ${MAX_PAGE_SIZE}. Default ${byDefault}.`);

/** The cursor of a page, from the response that led to it: opaque text, the same in every list. */
export const cursorParameter = plainText(1024)
  .optional()
  .describe("`nextCursor` of the previous page of the same query.");

/** The cursor of the next page. */
export const nextCursor = z
  .string()
  .optional()
  .describe("`cursor` of the next page; absent on the last page.");

/** Checks that two days are in order, if both are given. */
export function areInOrder({ from, to }: { from?: string | undefined; to?: string | undefined }): boolean {
  return from === undefined || to === undefined || from <= to;
}

/** The issue reported for two days that are not in order. */
export const NOT_IN_ORDER = { path: ["to"], message: "must not be before from" };

/** Event types of a filter: one, or several as a parameter that is repeated. */
export const eventTypesParameter = z
  .union([plainText(128), z.array(plainText(128)).max(50)])
  .optional()
  .describe("Events of this type. May be repeated: events of any of the types.");

/** The body of an operation that takes no input: an empty object. */
export const emptyBody = z.strictObject({});

/** The schemas of what an operation takes: its path and query parameters, headers and body. */
export interface RequestSchemas {
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
}

/**
 * The header for reading one's own writes from a replica: an answer has the position that the caller has then written or seen, and a
 * read that sends it sees everything up to there.
 */
export const POSITION_HEADER = "x-synap-position";

/** The header of a read that a replica of the database may answer. */
export const positionHeaders = z.object({
  [POSITION_HEADER]: z
    .string()
    .regex(/^\d{1,15}$/, "must be a position, a whole number from 0")
    .optional()
    .describe(
      "The read sees everything up to this position: that of an earlier answer's header or of an append.",
    ),
});

/**
 * The form of an Idempotency-Key: a string in quotes, as draft-ietf-httpapi-idempotency-key-header has it, or the same text
 * without quotes and spaces. 1 to 255 characters.
 */
export const IDEMPOTENCY_KEY = /^(?:"((?:[ !#-[\]-~]|\\["\\]){1,255})"|([!#-~][!-~]{0,254}))$/;

/** The value of the header Idempotency-Key. */
export const idempotencyKey = z.string().regex(IDEMPOTENCY_KEY).optional();

/** Seconds that a request may wait for a position at most. */
export const MAX_POSITION_WAIT_SECONDS = 10;

/** The headers of a read of a read model. */
export const modelHeaders = z.object({
  [POSITION_HEADER]: positionHeaders.shape[POSITION_HEADER].describe(
    "With `Prefer: wait=`, the position to wait for.",
  ),
  prefer: z
    .string()
    .max(1_000)
    .regex(/^[!-~]([ -~]*[!-~])?$/)
    .optional()
    .describe(
      "`wait=SECONDS` waits until the read model has every event up to `X-Synap-Position`, at most 10 s. Others are ignored.",
    ),
});

/** Header of a request that needs no answer if nothing has changed. */
export const conditionHeaders = z.object({
  "if-none-match": z
    .string()
    .max(1_000)
    .regex(/^(?:\*|(?:W\/)?"[!#-~]*"(?:, *(?:W\/)?"[!#-~]*")*)$/)
    .optional()
    .describe("The ETag of an earlier response. If it is still right, the answer is 304 without a body."),
});

/** Maximum length of JSON that events are searched for, in characters of the URL. */
const MAX_DATA_TEXT = 4_096;

/** JSON that data contains: an object, as text in the URL. */
export const dataParameter = z
  .string("must be given exactly once")
  .max(MAX_DATA_TEXT, `must have at most ${MAX_DATA_TEXT} characters`)
  .transform((text, context): JsonObject => {
    const data = parseObject(text);
    const [issue] = data === undefined ? [] : checkJson(data);
    if (data !== undefined && issue === undefined) return data;
    const message = issue?.reason ?? "must be a JSON object";
    context.issues.push({ code: "custom", message, input: text });
    return z.NEVER;
  })
  .meta({ contentMediaType: "application/json", contentSchema: { type: "object" } });

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return jsonObject.safeParse(value).data;
  } catch {
    return undefined;
  }
}
