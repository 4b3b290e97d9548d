import { defineEventType } from "@synap/synap";
import { z } from "zod";

const cents = z.int().min(0);
const line = z.strictObject({ article: z.string().min(1), quantity: z.int().min(1), cents });

export const orderPlaced = defineEventType({
  name: "order.placed",
  description: "A customer placed an order.",
  schema: z.strictObject({ customer: z.string().min(1), email: z.email(), lines: z.array(line).min(1) }),
  example: {
    customer: "ada",
    email: "ada@example.org",
    lines: [{ article: "pump", quantity: 2, cents: 5999 }],
  },
});

export const orderPaid = defineEventType({
  name: "order.paid",
  description: "A customer paid an order in full.",
  schema: z.strictObject({ customer: z.string(), email: z.email(), cents }),
  example: { customer: "ada", email: "ada@example.org", cents: 11998 },
});

export const orderCancelled = defineEventType({
  name: "order.cancelled",
  description: "An order was cancelled before it was paid.",
  schema: z.strictObject({ reason: z.string().min(1) }),
  example: { reason: "ordered twice" },
});

export const reviewWritten = defineEventType({
  name: "review.written",
  description: "A customer rated an order.",
  schema: z.strictObject({ order: z.string(), stars: z.int().min(1).max(5) }),
  example: { order: "o-1", stars: 5 },
});

export const invoiceIssued = defineEventType({
  name: "invoice.issued",
  description: "The invoice of a paid order was issued.",
  schema: z.strictObject({ order: z.string(), customer: z.string(), email: z.email(), cents }),
  example: { order: "o-1", customer: "ada", email: "ada@example.org", cents: 11998 },
});

export const invoiceBooked = defineEventType({
  name: "invoice.booked",
  description: "Accounting booked an invoice.",
  schema: z.strictObject({ account: z.string().regex(/^\d{4}$/) }),
  example: { account: "4400" },
});

export const orderEvents = [orderPlaced, orderPaid, orderCancelled] as const;
export const invoiceEvents = [invoiceIssued, invoiceBooked] as const;
