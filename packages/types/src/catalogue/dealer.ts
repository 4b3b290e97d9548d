import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { amount, currency, day, identifier, shortText } from "./fields.ts";

/** Events of a dealer. Stream: the dealer. */
export const dealerEventTypes = [
  defineEventType({
    name: "dealer.application_submitted",
    description: "A business applied to become a dealer.",
    schema: z.strictObject({
      businessName: shortText,
      contactName: shortText,
      email: z.email(),
      phone: shortText.optional(),
      region: shortText.optional(),
    }),
    example: {
      businessName: "Deccan Pumps",
      contactName: "R. Kulkarni",
      email: "sales@deccan-pumps.example",
      region: "Maharashtra",
    },
  }),
  defineEventType({
    name: "dealer.approved",
    description: "A dealer's application was accepted.",
    schema: z.strictObject({
      tier: shortText,
      creditLimit: amount.optional(),
      currency: currency.optional(),
    }),
    example: { tier: "silver", creditLimit: 250000, currency: "INR" },
  }),
  defineEventType({
    name: "dealer.rejected",
    description: "A dealer's application was turned down.",
    schema: z.strictObject({ reason: shortText }),
    example: { reason: "No registered business address" },
  }),
  defineEventType({
    name: "dealer.pricing_updated",
    description: "A dealer got other prices.",
    schema: z.strictObject({
      prices: z
        .array(z.strictObject({ sku: identifier, oldPrice: amount.optional(), newPrice: amount }))
        .min(1)
        .max(1000),
      currency: currency.optional(),
      effectiveDate: day.optional(),
    }),
    example: {
      prices: [{ sku: "SUBM-05HP-50LPM", oldPrice: 4999, newPrice: 4799 }],
      currency: "INR",
      effectiveDate: "2026-04-01",
    },
  }),
] as const;
