import { defineConfig } from "@synap/synap";
import { invoiceEvents, orderEvents, reviewWritten } from "./src/event-types.ts";
import { invoiceMailer } from "./src/invoice-mailer.ts";
import { customerInvoices, invoicesProjection } from "./src/invoices.ts";
import { invoicing } from "./src/invoicing.ts";
import { order } from "./src/order.ts";
import { customerOrders, ordersProjection } from "./src/orders.ts";

export default defineConfig({
  eventTypes: [...orderEvents, reviewWritten, ...invoiceEvents],
  handlers: [invoicing, invoiceMailer],
  projections: [ordersProjection, invoicesProjection],
  aggregates: [{ decider: order, path: "orders" }],
  readModels: [customerOrders, customerInvoices],
  migrations: { folder: new URL("./migrations", import.meta.url), ledger: "shop", release: "0.1.0" },
});
