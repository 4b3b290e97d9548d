import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { amount, currency, identifier, shortText } from "./fields.ts";

/** Events of a payment. Stream: the payment. */
export const paymentEventTypes = [
  defineEventType({
    name: "payment.received",
    description: "Money arrived.",
    schema: z.strictObject({
      amount,
      currency: currency.optional(),
      method: shortText,
      orderId: identifier.optional(),
      invoiceId: identifier.optional(),
      reference: identifier.optional(),
    }),
    example: { amount: 1250.5, currency: "EUR", method: "card", invoiceId: "invoice-2026-0117" },
  }),
  defineEventType({
    name: "payment.failed",
    description: "A payment was attempted and failed.",
    schema: z.strictObject({ amount, currency: currency.optional(), method: shortText, reason: shortText }),
    example: { amount: 1250.5, currency: "EUR", method: "card", reason: "insufficient_funds" },
  }),
  defineEventType({
    name: "payment.refunded",
    description: "A payment was refunded in full or in part.",
    schema: z.strictObject({ amount, currency: currency.optional(), reason: shortText }),
    example: { amount: 200, currency: "EUR", reason: "One pump was returned" },
  }),
] as const;
