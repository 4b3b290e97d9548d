import { createEventCatalogue, defineEventType } from "@synap/types";
import { z } from "zod";

const line = z.strictObject({ sku: z.string(), pieces: z.number(), cents: z.number() });
const lines = z.array(line);
const written = { customer: z.string(), city: z.string(), note: z.string(), lines };
const example = {
  customer: "Ada",
  city: "Bern",
  note: "Ring twice",
  lines: [{ sku: "A-1", pieces: 2, cents: 1250 }],
};
const personal = z.string().meta({ personal: { subject: "userId" } });

const plainOrder = defineEventType({
  name: "measured.plain",
  description: "An order, of a type with one version.",
  schema: z.strictObject(written),
  example,
});

const grownOrder = defineEventType({
  name: "measured.grown",
  description: "An order, of a type with four versions.",
  version: 4,
  schema: z.strictObject({ ...written, currency: z.string(), total: z.number(), isGift: z.boolean() }),
  example: { ...example, currency: "EUR", total: 2500, isGift: false },
  upcast: {
    1: { schema: z.strictObject(written), up: (data) => ({ ...data, currency: "EUR" }) },
    2: {
      schema: z.strictObject({ ...written, currency: z.string() }),
      up: (data) => ({
        ...data,
        total: data.lines.reduce((sum, { pieces, cents }) => sum + pieces * cents, 0),
      }),
    },
    3: {
      schema: z.strictObject({ ...written, currency: z.string(), total: z.number() }),
      up: (data) => ({ ...data, isGift: false }),
    },
  },
});

const personalOrder = defineEventType({
  name: "measured.personal",
  description: "An order with two personal fields.",
  schema: z.strictObject({ ...written, customer: personal, city: personal }),
  example,
});

/** Types of the same data: with one version, with four versions, and with two personal fields. */
export const storedTypes = createEventCatalogue([plainOrder, grownOrder, personalOrder]);
