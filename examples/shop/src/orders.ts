import { defineProjection, defineReadModel, keyText, moment, readTable } from "@synap/synap";
import { desc, eq } from "drizzle-orm";
import { index, integer, text } from "drizzle-orm/pg-core";
import { z } from "zod";
import { orderEvents, reviewWritten } from "./event-types.ts";
import { totalOf } from "./order.ts";

const statuses = ["placed", "paid", "cancelled"] as const;

export const orders = readTable(
  "orders",
  {
    id: keyText("id").primaryKey(),
    customer: keyText("customer").notNull(),
    userId: keyText("user_id"),
    status: text("status", { enum: statuses }).notNull(),
    cents: integer("cents").notNull(),
    stars: integer("stars"),
    placedAt: moment("placed_at").notNull(),
  },
  (table) => [index().on(table.customer, table.placedAt), index().on(table.userId, table.placedAt)],
);

/** Inline: the row is there as soon as the command is answered. */
export const ordersProjection = defineProjection({
  name: "orders",
  version: 1,
  description: "Keeps every order with its status.",
  events: [...orderEvents, reviewWritten],
  mode: "inline",
  table: orders,
  // The API sets an event's userId from the key of its sender, and anybody can write any customer.
  owner: { userId: "userId" },
  key: (event) => (event.type === "review.written" ? event.data.order : event.aggregateId),
  evolve(row, event) {
    switch (event.type) {
      case "order.placed": {
        const { customer, lines } = event.data;
        return {
          id: event.aggregateId,
          customer,
          userId: event.userId ?? null,
          status: "placed",
          cents: totalOf(lines),
          stars: null,
          placedAt: event.timestamp,
        };
      }
      case "order.paid":
        return row && { ...row, status: "paid" };
      case "order.cancelled":
        return row && { ...row, status: "cancelled" };
      case "review.written":
        return row && { ...row, stars: event.data.stars };
    }
  },
});

/** GET /api/v1/customer-orders, with customer=ada or without. A user reads the orders that he has placed. */
export const customerOrders = defineReadModel({
  path: "customer-orders",
  description: "The orders of a customer, or all that the caller may see, newest first",
  writtenBy: [ordersProjection],
  ownRows: true,
  parameters: z.strictObject({ customer: z.string().optional() }),
  response: z.object({
    orders: z.array(
      z.object({ id: z.string(), status: z.enum(statuses), cents: z.int(), stars: z.int().nullable() }),
    ),
  }),
  read: async ({ orm }, { customer }) => ({
    orders: await orm
      .select({ id: orders.id, status: orders.status, cents: orders.cents, stars: orders.stars })
      .from(orders)
      .where(customer === undefined ? undefined : eq(orders.customer, customer))
      .orderBy(desc(orders.placedAt))
      .limit(100),
  }),
});
