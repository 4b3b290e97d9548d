import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { amount, currency, day, identifier, shortText } from "./fields.ts";

/**
 * Event types of the original documents, with the names and the fields that they have there. The types of new
 * applications are `order.created` and `product.price_changed`.
 */
export const originalEventTypes = [
  defineEventType({
    name: "order.placed",
    description: "A customer placed an order: order.created, as the original documents name it.",
    schema: z.strictObject({
      customer_id: identifier,
      lines: z
        .array(z.strictObject({ sku: identifier, quantity: z.int().positive(), unit_price: amount }))
        .min(1)
        .max(1000),
      total: amount,
      currency: currency.optional(),
      note: z.string().optional(),
    }),
    example: {
      customer_id: "customer-1042",
      lines: [{ sku: "SUBM-05HP-DOM-SS-50LPM-20M", quantity: 2, unit_price: 5499 }],
      total: 10998,
    },
  }),
  defineEventType({
    name: "price.changed",
    description: "Something got another price: product.price_changed, as the original documents name it.",
    schema: z.strictObject({
      old_price: amount,
      new_price: amount,
      reason: shortText,
      currency: currency.optional(),
      effective_date: day.optional(),
    }),
    example: {
      old_price: 5999,
      new_price: 5499,
      reason: "competitor_match",
      effective_date: "2025-10-27",
    },
  }),
] as const;
