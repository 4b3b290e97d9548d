import { defineProjection, defineReadModel, keyText, moment, readTable } from "@synap/synap";
import { eq } from "drizzle-orm";
import { index, integer, text } from "drizzle-orm/pg-core";
import { z } from "zod";
import { invoiceEvents } from "./event-types.ts";

export const invoices = readTable(
  "invoices",
  {
    id: keyText("id").primaryKey(),
    customer: keyText("customer").notNull(),
    cents: integer("cents").notNull(),
    issuedAt: moment("issued_at").notNull(),
    account: text("account"),
  },
  (table) => [index().on(table.customer)],
);

/** Async: it follows the log, some milliseconds behind, and appends do not wait for it. */
export const invoicesProjection = defineProjection({
  name: "invoices",
  version: 1,
  description: "Keeps every invoice and the account to which it was booked.",
  events: invoiceEvents,
  mode: "async",
  table: invoices,
  evolve(row, event) {
    switch (event.type) {
      case "invoice.issued": {
        const { customer, cents } = event.data;
        return { id: event.aggregateId, customer, cents, issuedAt: event.timestamp, account: null };
      }
      case "invoice.booked":
        return row && { ...row, account: event.data.account };
    }
  },
});

/** GET /api/v1/customer-invoices?customer=ada */
export const customerInvoices = defineReadModel({
  path: "customer-invoices",
  description: "The invoices of a customer, and what they come to",
  writtenBy: [invoicesProjection],
  parameters: z.strictObject({ customer: z.string() }),
  response: z.object({
    totalCents: z.int(),
    invoices: z.array(z.object({ id: z.string(), cents: z.int(), account: z.string().nullable() })),
  }),
  async read({ orm }, { customer }) {
    const found = await orm
      .select({ id: invoices.id, cents: invoices.cents, account: invoices.account })
      .from(invoices)
      .where(eq(invoices.customer, customer))
      .orderBy(invoices.issuedAt)
      .limit(100);
    return { totalCents: found.reduce((total, { cents }) => total + cents, 0), invoices: found };
  },
});
