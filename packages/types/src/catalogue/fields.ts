import { z } from "zod";
import { timestampSchema } from "../event/synap-event.ts";

/** A short, non-empty text: 1 to 500 characters. */
export const shortText = z.string().min(1).max(500);

/** An identifier of something, here or in another system: 1 to 128 characters. */
export const identifier = z.string().min(1).max(128);

/** An amount of money in units of its currency, 0 or more. */
export const amount = z.number().nonnegative();

/** A currency: an ISO 4217 code such as EUR. Omitted where a business uses only one. */
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, "must be an ISO 4217 code such as EUR")
  .describe("ISO 4217 code; omitted where a business uses only one.");

/** A day without a time: YYYY-MM-DD, from 0001-01-01 to 9999-12-31, because PostgreSQL has no year 0. */
export const day = z.iso
  .date()
  .refine((text) => !text.startsWith("0000"), "must be a day from 0001-01-01 to 9999-12-31")
  .meta({ pattern: `^(?!0000)${z.regexes.date.source}` });

/** A moment: RFC 3339 with any offset, from 1970 to 9999, no finer than a millisecond. */
export const moment = timestampSchema;

/** Free attributes, one level deep. */
export const attributes = z.record(
  z.string().min(1).max(128),
  z.union([z.string(), z.number(), z.boolean()]),
);

/**
 * The schema of changed fields with their new values; at least one. Omitted fields are unchanged, and a field
 * that was cleared is null where its schema allows it.
 */
export function changesOf<Shape extends z.ZodRawShape>(shape: Shape) {
  return z
    .strictObject(shape)
    .refine((changes) => Object.values(changes).some((value) => value !== undefined), {
      message: "must name at least one field",
      params: { code: "empty" },
    })
    .meta({ minProperties: 1 });
}
