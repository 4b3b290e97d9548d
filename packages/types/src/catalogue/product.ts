import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { amount, attributes, changesOf, currency, day, identifier, shortText } from "./fields.ts";

const productFields = {
  sku: identifier,
  name: shortText,
  currency: currency.optional(),
  category: shortText.optional(),
  description: z.string().optional(),
  attributes: attributes.optional(),
};

/** Events of a product. Stream: the product. */
export const productEventTypes = [
  defineEventType({
    name: "product.created",
    description: "A product was added to the range.",
    // The price is in snake case where the original documents have it.
    schema: z.union([
      z.strictObject({ ...productFields, basePrice: amount }),
      z.strictObject({ ...productFields, base_price: amount }),
    ]),
    example: {
      sku: "SUBM-05HP-50LPM",
      name: "0.5 HP submersible pump",
      basePrice: 5999,
      currency: "INR",
      category: "pumps",
      attributes: { powerHp: 0.5, flowLpm: 50 },
    },
  }),
  defineEventType({
    name: "product.updated",
    description: "The name, description or category of a product was changed.",
    schema: z.strictObject({
      changes: changesOf({
        name: shortText.optional(),
        category: shortText.nullable().optional(),
        description: z.string().nullable().optional(),
        attributes: attributes.optional(),
      }),
    }),
    example: { changes: { name: "0.5 HP submersible pump, stainless", category: "pumps" } },
  }),
  defineEventType({
    name: "product.price_changed",
    description: "A product got another price from a given day on.",
    schema: z.strictObject({
      oldPrice: amount,
      newPrice: amount,
      currency: currency.optional(),
      reason: shortText.optional(),
      effectiveDate: day.optional(),
    }),
    example: {
      oldPrice: 5999,
      newPrice: 5499,
      currency: "INR",
      reason: "competitor_match",
      effectiveDate: "2026-03-01",
    },
  }),
  defineEventType({
    name: "product.price_corrected",
    description: "A wrongly recorded price was corrected; compensates for an earlier event.",
    schema: z.strictObject({
      wrongPrice: amount,
      correctPrice: amount,
      currency: currency.optional(),
      correctedEventId: z.uuid().optional(),
      reason: shortText,
    }),
    example: {
      wrongPrice: 54.99,
      correctPrice: 5499,
      currency: "INR",
      correctedEventId: "0198c1de-7a10-7c3e-9a53-3b7f0f6a2d11",
      reason: "The decimal point was in the wrong place",
    },
  }),
  defineEventType({
    name: "product.stock_updated",
    description: "The stock of a product changed, by a count, a delivery or a sale.",
    schema: z.strictObject({
      oldQuantity: z.int().optional(),
      newQuantity: z.int(),
      warehouse: identifier.optional(),
      reason: shortText.optional(),
    }),
    example: { oldQuantity: 40, newQuantity: 37, warehouse: "north", reason: "sale" },
  }),
  defineEventType({
    name: "product.discontinued",
    description: "A product was removed from the range.",
    schema: z.strictObject({ reason: shortText.optional(), replacedBy: identifier.optional() }),
    example: { reason: "superseded", replacedBy: "SUBM-06HP-55LPM" },
  }),
] as const;
