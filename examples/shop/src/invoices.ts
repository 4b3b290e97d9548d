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
    userId: keyText("user_id"),
    cents: integer("cents").notNull(),
    issuedAt: moment("issued_at").notNull(),
    account: text("account"),
  },
  (table) => [index().on(table.customer), index().on(table.userId)],
);

/** Async: it follows the log, some milliseconds behind, and appends do not wait for it. */
export const invoicesProjection = defineProjection({
  name: "invoices",
  version: 1,
  description: "Keeps every invoice and the account to which it was booked.",
  events: invoiceEvents,
  mode: "async",
  table: invoices,
  owner: { userId: "userId" },
  evolve(row, event) {
    switch (event.type) {
      case "invoice.issued": {
        const { customer, cents } = event.data;
        return {
          id: event.aggregateId,
          customer,
          userId: event.userId ?? null,
          cents,
          issuedAt: event.timestamp,
          account: null,
        };
      }
      case "invoice.booked":
        return row && { ...row, account: event.data.account };
    }
  },
});

/** GET /api/v1/customer-invoices, with customer=ada or without. */
export const customerInvoices = defineReadModel({
  path: "customer-invoices",
  description: "The invoices of a customer, or all that the caller may see, and what they come to",
  writtenBy: [invoicesProjection],
  ownRows: true,
  parameters: z.strictObject({ customer: z.string().optional() }),
  response: z.object({
    totalCents: z.int(),
    invoices: z.array(z.object({ id: z.string(), cents: z.int(), account: z.string().nullable() })),
  }),
  async read({ orm }, { customer }) {
    const found = await orm
      .select({ id: invoices.id, cents: invoices.cents, account: invoices.account })
      .from(invoices)
      .where(customer === undefined ? undefined : eq(invoices.customer, customer))
      .orderBy(invoices.issuedAt)
      .limit(100);
    return { totalCents: found.reduce((total, { cents }) => total + cents, 0), invoices: found };
  },
});
