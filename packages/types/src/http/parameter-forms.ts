import { z } from "zod";
import { readTimestamp, TIMESTAMP_FORM } from "../timestamp.ts";

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

/** A moment: RFC 3339, from 1970 to 9999, no finer than a millisecond. */
export const moment = z
  .string(GIVEN_ONCE)
  .refine(
    (value) => readTimestamp(value).ok,
    "must be an RFC 3339 date-time from 1970 to 9999, no finer than a millisecond",
  )
  .meta({ format: "date-time", pattern: TIMESTAMP_FORM });

/** The headers with which a client states the expected version of a stream. */
export const ifMatch = z.string().regex(/^(?:\*|"(?:0|[1-9]\d{0,14})")$/);
