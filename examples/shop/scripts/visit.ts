import { readFileSync } from "node:fs";
import { createSynapClient, isProblem } from "@synap/client";
import type config from "../synap.config.ts";

const synap = createSynapClient<typeof config>({
  url: process.env["SYNAP_URL"] ?? "http://127.0.0.1:3400",
  // The key that start has made. Only following the log needs it on the same machine.
  token: () => process.env["SYNAP_TOKEN"] ?? readFileSync(".synap/api-key", "utf8").trim(),
});
const orders = synap.aggregates({ type: "order", path: "orders" });
const id = `o-${Date.now()}`;
const customer = `customer-${id}`;

// Commands: the rules of src/order.ts decide, and the events are stored when the response comes.
const lines = [{ article: "pump", quantity: 2, cents: 5999 }];
const placed = await orders.execute(id, {
  type: "place",
  data: { customer, email: "ada@example.org", lines },
});
console.log(`order ${placed.state.status}`);
try {
  await orders.execute(id, { type: "pay", data: { cents: 1 } });
} catch (error) {
  if (!isProblem(error, "command-refused")) throw error;
  console.log(`payment refused: ${error.problem.rule}`);
}
const paid = await orders.execute(id, { type: "pay", data: { cents: 11998 } });
console.log(`order ${paid.state.status}`);

// Subscribe: the invoice comes from a reactor, some milliseconds later.
const stream = { aggregateType: "invoice", aggregateId: id };
for await (const event of synap.subscribe({ from: "start", type: "invoice.issued", stream })) {
  console.log(`invoice over ${event.data.cents} cents`);
  break;
}

// Append with an expected version: two accountants book at the same time, and one of them gets a conflict.
const book = (account: string) =>
  synap.append(stream, [{ type: "invoice.booked", data: { account } }], { expectedVersion: 1 });
const { position } = await book("4400");
try {
  await book("4401");
} catch (error) {
  if (!isProblem(error, "optimistic-lock")) throw error;
  console.log(`booked by somebody else: the invoice is at version ${error.problem.actualVersion}`);
}

// Publish: it happened, no rule applies.
const review = await synap.publish({ type: "review.written", data: { order: id, stars: 5 } });
await synap.waitUntilStored(review.id);

// Read your own writes: wait until the projection has got there, then ask its read model.
await synap.waitFor(position, "invoices");
const { invoices } = await synap.readModel("customer-invoices", { customer });
for (const { cents, account } of invoices) console.log(`${cents} cents on account ${account}`);
const mine = await synap.readModel("customer-orders", { customer });
for (const { status, stars } of mine.orders) console.log(`${status}, ${stars} stars`);
