import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { amount, currency, day, identifier, moment, shortText } from "./fields.ts";

/** Events of an invoice. Stream: the invoice. */
export const invoiceEventTypes = [
  defineEventType({
    name: "invoice.created",
    description: "An invoice was drawn up.",
    schema: z.strictObject({
      amount,
      dueDate: day,
      currency: currency.optional(),
      number: identifier.optional(),
      customerId: identifier.optional(),
      customerName: shortText.optional(),
      orderId: identifier.optional(),
    }),
    example: {
      amount: 1250.5,
      dueDate: "2026-03-31",
      currency: "EUR",
      number: "2026-0117",
      customerName: "Acme Corp",
    },
  }),
  defineEventType({
    name: "invoice.sent",
    description: "An invoice was sent to its payer.",
    schema: z.strictObject({
      method: z.enum(["email", "post", "portal"]),
      sentAt: moment.optional(),
      recipient: shortText.optional(),
    }),
    example: { method: "email", sentAt: "2026-03-02T08:15:00Z", recipient: "accounts@acme.example" },
  }),
  defineEventType({
    name: "invoice.paid",
    description: "An invoice was paid in full or in part.",
    schema: z.strictObject({
      amount,
      currency: currency.optional(),
      paidAt: moment.optional(),
      reference: identifier.optional(),
    }),
    example: { amount: 1250.5, currency: "EUR", reference: "SEPA-90211" },
  }),
  defineEventType({
    name: "invoice.cancelled",
    description: "An invoice was withdrawn and need not be paid.",
    schema: z.strictObject({ reason: shortText }),
    example: { reason: "Replaced by 2026-0118" },
  }),
] as const;
