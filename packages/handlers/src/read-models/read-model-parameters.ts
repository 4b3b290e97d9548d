import { daySchema } from "@synap/types";
import { plainText, wholeNumber } from "@synap/types/http";
import { z } from "zod";

const MAX_LIMIT = 1_000;
const GIVEN_ONCE = "must be given, and once";

/** A name: of a user, a guest, an actor. 1 to 128 characters. */
export const nameParameter = plainText(128);

/** A day, YYYY-MM-DD. */
export const dayParameter = z
  .string(GIVEN_ONCE)
  .refine((value) => daySchema.safeParse(value).success, "must be a day as YYYY-MM-DD, which exists")
  .meta({ format: "date", pattern: "^(?!0000)" });

/** The number of rows to give, 1 to 1,000. */
export const limitParameter = (byDefault: number) =>
  wholeNumber(1, MAX_LIMIT).optional().describe(`Page size, 1 to ${MAX_LIMIT}. Default ${byDefault}.`);

/** The position before which a page begins, for rows in descending order of position. */
export const beforeParameter = wholeNumber(0, Number.MAX_SAFE_INTEGER)
  .optional()
  .describe("`nextBefore` of the previous page.");

/** Whether two days, if both are given, are in order. */
export function areInOrder({ from, to }: { from?: string | undefined; to?: string | undefined }): boolean {
  return from === undefined || to === undefined || from <= to;
}

/** The issue of two days that are not in order. */
export const NOT_IN_ORDER = { path: ["to"], message: "must not be before from" };

/** The position before which the next page begins: the last one of a full page. None after a page that isn't full. */
export function nextBefore(
  rows: readonly { readonly position: number }[],
  size: number,
): { nextBefore?: number } {
  const last = rows.length < size ? undefined : rows.at(-1);
  return last === undefined ? {} : { nextBefore: last.position };
}
