import { daySchema } from "@synap/types";
import { plainText, wholeNumber } from "@synap/types/http";
import { z } from "zod";

const MAX_LIMIT = 1_000;
const GIVEN_ONCE = "must be given exactly once";

/** The name of a user, a guest or an actor: 1 to 128 characters. */
export const nameParameter = plainText(128);

/** A day, YYYY-MM-DD. */
export const dayParameter = z
  .string(GIVEN_ONCE)
  .refine((value) => daySchema.safeParse(value).success, "must be an existing day as YYYY-MM-DD")
  .meta({ format: "date", pattern: "^(?!0000)" });

/** The page size, 1 to 1,000 rows. */
export const limitParameter = (byDefault: number) =>
  wholeNumber(1, MAX_LIMIT).optional().describe(`Page size, 1 to ${MAX_LIMIT}. Default ${byDefault}.`);

/** The position before which a page begins, for rows in descending order of position. */
export const beforeParameter = wholeNumber(0, Number.MAX_SAFE_INTEGER)
  .optional()
  .describe("`nextBefore` of the previous page.");

/** Whether two days are in order, if both are given. */
export function areInOrder({ from, to }: { from?: string | undefined; to?: string | undefined }): boolean {
  return from === undefined || to === undefined || from <= to;
}

/** The issue reported for two days that are not in order. */
export const NOT_IN_ORDER = { path: ["to"], message: "must not be before from" };

/** The position before which the next page begins: the last one of a full page; undefined after a page that isn't full. */
export function nextBefore(
  rows: readonly { readonly position: number }[],
  size: number,
): { nextBefore?: number } {
  const last = rows.length < size ? undefined : rows.at(-1);
  return last === undefined ? {} : { nextBefore: last.position };
}
