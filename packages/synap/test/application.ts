import { keyText, readTable } from "@synap/handlers";
import { defineEventType } from "@synap/types";
import { eq } from "drizzle-orm";
import { doublePrecision, text } from "drizzle-orm/pg-core";
import { z } from "zod";
import {
  defineConfig,
  defineDecider,
  defineHandler,
  defineProjection,
  defineReadModel,
  derivedEventId,
} from "../src/index.ts";

const orderPlaced = defineEventType({
  name: "order.placed",
  description: "An order was placed.",
  schema: z.strictObject({ customer: z.string(), total: z.number() }),
  example: { customer: "c1", total: 12.5 },
});
const invoiceSent = defineEventType({
  name: "invoice.sent",
  description: "The invoice of an order was sent.",
  schema: z.strictObject({ order: z.string() }),
  example: { order: "o1" },
});

const orders = readTable("orders", {
  id: keyText("id").primaryKey(),
  customer: text("customer").notNull(),
  total: doublePrecision("total").notNull(),
});

const spending = readTable("spending", {
  customer: keyText("customer").primaryKey(),
  total: doublePrecision("total").notNull(),
});

const ordersProjection = defineProjection({
  name: "orders",
  version: 1,
  description: "Keeps every order.",
  events: [orderPlaced],
  mode: "inline",
  table: orders,
  evolve: (_row, event) => ({ id: event.aggregateId, ...event.data }),
});

/** The orders of a customer. */
export const ordersOf = defineReadModel({
  path: "orders",
  description: "The orders of a customer",
  writtenBy: [ordersProjection],
  parameters: z.strictObject({ customer: z.string() }),
  response: z.object({ orders: z.array(z.object({ id: z.string(), total: z.number() })) }),
  read: async ({ orm }, { customer }) => ({
    orders: await orm
      .select({ id: orders.id, total: orders.total })
      .from(orders)
      .where(eq(orders.customer, customer)),
  }),
});

/** Orders, placed once each. */
export const orderDecider = defineDecider({
  name: "order",
  description: "An order is placed once.",
  events: [orderPlaced],
  commands: { place: z.strictObject({ customer: z.string(), total: z.number() }) },
  state: z.strictObject({ isPlaced: z.boolean() }),
  initialState: { isPlaced: false },
  evolve: () => ({ isPlaced: true }),
  decide({ data }, { isPlaced }) {
    return isPlaced ? [] : [{ type: "order.placed" as const, data }];
  },
});

/** A small application: orders, and an invoice for each. */
export const application = defineConfig({
  eventTypes: [orderPlaced, invoiceSent],
  handlers: [
    defineHandler({
      name: "invoicing",
      description: "Sends an invoice for every order.",
      events: [orderPlaced],
      mode: "async",
      async handle(events, { append }) {
        await append(
          events.map((event) => ({
            id: derivedEventId({ handler: "invoicing", cause: event.id }),
            version: "v1",
            type: "invoice.sent",
            aggregateType: "invoice",
            aggregateId: event.aggregateId,
            data: { order: event.aggregateId },
            createdBy: "system",
            source: "invoicing",
            timestamp: event.recordedAt,
            causationId: event.id,
          })),
        );
      },
    }),
  ],
  projections: [
    ordersProjection,
    defineProjection({
      name: "spending",
      version: 1,
      description: "Adds up what each customer has ordered.",
      events: [orderPlaced],
      mode: "async",
      table: spending,
      key: ({ data }) => data.customer,
      evolve: (row, { data }) => ({ customer: data.customer, total: (row?.total ?? 0) + data.total }),
    }),
  ],
  aggregates: [{ decider: orderDecider, path: "orders" }],
  readModels: [ordersOf],
});
