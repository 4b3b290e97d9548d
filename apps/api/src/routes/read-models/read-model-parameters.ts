import { daySchema } from "@synap/types";
import { plainText, wholeNumber } from "@synap/types/http";
import { z } from "zod";

const MAX_LIMIT = 1_000;
const GIVEN_ONCE = "must be given, and once";

/** A name: of a user, a guest, an actor. 1 to 128 characters. */
export const name = plainText(128);

/** A day, YYYY-MM-DD. */
export const day = z
  .string(GIVEN_ONCE)
  .refine((value) => daySchema.safeParse(value).success, "must be a day as YYYY-MM-DD, which exists")
  .meta({ format: "date", pattern: "^(?!0000)" });

/** How many rows to give, as text: 1 to 1,000. */
export const limit = (byDefault: number) =>
  wholeNumber(1, MAX_LIMIT).optional().describe(`How many to give, 1 to ${MAX_LIMIT}. Default ${byDefault}.`);

/** The place in the log before which a page goes on. */
export const before = wholeNumber(0, Number.MAX_SAFE_INTEGER)
  .optional()
  .describe("Where to go on: `nextBefore` of the page before.");

/** What a read model is asked with: parameters as numbers, as far as they are given. */
export function numbers<Name extends string>(
  given: Readonly<Partial<Record<Name, string | undefined>>>,
  ...names: readonly Name[]
): Partial<Record<Name, number>> {
  const read: Partial<Record<Name, number>> = {};
  for (const each of names) {
    const text = given[each];
    if (text !== undefined) read[each] = Number(text);
  }
  return read;
}

/** Whether two days, if both are given, are in order. */
export function areInOrder({ from, to }: { from?: string | undefined; to?: string | undefined }): boolean {
  return from === undefined || to === undefined || from <= to;
}

/** What is said of days that are not. */
export const NOT_IN_ORDER = { path: ["to"], message: "must not be before from" };

/**
 * Where the next page begins: at the last position of a full page; nowhere after one that is not.
 */
export function nextBefore(
  rows: readonly { readonly position: number }[],
  size: number,
): { nextBefore?: number } {
  const last = rows.length < size ? undefined : rows.at(-1);
  return last === undefined ? {} : { nextBefore: last.position };
}
