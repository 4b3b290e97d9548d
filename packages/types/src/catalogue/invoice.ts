import { z } from "zod";
import { defineEventType } from "../define-event-type.ts";

export const invoiceEventTypes = [
  defineEventType({
    name: "invoice.created",
    description: "An invoice was drawn up.",
    schema: z.strictObject({ amount: z.number().nonnegative(), dueDate: z.iso.date() }),
    example: { amount: 1250.5, dueDate: "2026-02-28" },
  }),
  defineEventType({
    name: "invoice.sent",
    description: "An invoice went out to the customer.",
    schema: z.strictObject({ method: z.enum(["email", "post", "portal"]) }),
    example: { method: "email" },
  }),
] as const;
