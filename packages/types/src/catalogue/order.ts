import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { amount, currency, identifier, moment, shortText } from "./fields.ts";

const orderStatus = z.enum([
  "pending",
  "confirmed",
  "processing",
  "shipped",
  "delivered",
  "cancelled",
  "returned",
]);

/** Events of an order. Stream: the order. */
export const orderEventTypes = [
  defineEventType({
    name: "order.created",
    description: "A customer placed an order.",
    schema: z.strictObject({
      customerId: identifier,
      lines: z
        .array(z.strictObject({ sku: identifier, quantity: z.int().positive(), unitPrice: amount }))
        .min(1)
        .max(1000),
      total: amount,
      currency: currency.optional(),
      note: z.string().optional(),
    }),
    example: {
      customerId: "customer-1042",
      lines: [{ sku: "SUBM-05HP-50LPM", quantity: 2, unitPrice: 5499 }],
      total: 10998,
      currency: "INR",
    },
  }),
  defineEventType({
    name: "order.payment_received",
    description: "An order was paid in full or in part.",
    schema: z.strictObject({
      amount,
      currency: currency.optional(),
      method: shortText,
      reference: identifier.optional(),
    }),
    example: { amount: 10998, currency: "INR", method: "bank_transfer", reference: "UTR-778120" },
  }),
  defineEventType({
    name: "order.status_changed",
    description: "An order moved from one status to another.",
    schema: z.strictObject({ from: orderStatus, to: orderStatus, reason: shortText.optional() }),
    example: { from: "confirmed", to: "processing" },
  }),
  defineEventType({
    name: "order.fulfilled",
    description: "All items of an order were handed over to the customer or the carrier.",
    schema: z.strictObject({
      fulfilledAt: moment.optional(),
      carrier: shortText.optional(),
      trackingNumber: identifier.optional(),
    }),
    example: { fulfilledAt: "2026-03-04T14:05:00Z", carrier: "Blue Dart", trackingNumber: "BD-55120983" },
  }),
  defineEventType({
    name: "order.cancelled",
    description: "An order was cancelled before it was fulfilled.",
    schema: z.strictObject({ reason: shortText }),
    example: { reason: "Ordered twice by mistake" },
  }),
] as const;
