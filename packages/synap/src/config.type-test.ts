/**
 * What the compiler must accept and refuse. Never run: `tsc` reads it, and an `@ts-expect-error` above a line that
 * compiles is itself an error.
 */
import { createSynapClient } from "@synap/client";
import { seededDomain } from "@synap/domain";
import { defineEventType } from "@synap/types";
import { z } from "zod";
import { defineConfig } from "./config.ts";
import { createSynap } from "./create-synap.ts";

const orderPlaced = defineEventType({
  name: "order.placed",
  description: "An order was placed.",
  schema: z.strictObject({ total: z.number() }),
  example: { total: 12.5 },
});
const orderPaid = defineEventType({
  name: "order.paid",
  description: "An order was paid.",
  schema: z.strictObject({ method: z.string() }),
  example: { method: "card" },
});

// A client has the types of the config's own event types and of its modules', and no others.
const config = defineConfig({ modules: [{ eventTypes: [orderPaid] }], eventTypes: [orderPlaced] });
const client = createSynapClient<typeof config.catalogue>({ url: "http://127.0.0.1:3400" });
void client.publish({ type: "order.placed", data: { total: 1 } });
void client.publish({ type: "order.paid", data: { method: "card" } });
// @ts-expect-error a misspelt field
void client.publish({ type: "order.placed", data: { totals: 1 } });
// @ts-expect-error the seeded domain was left out
void client.publish({ type: "note.creation.requested", data: { content: "Hello" } });

// With the seeded domain it has both.
const both = defineConfig({ modules: [seededDomain], eventTypes: [orderPlaced] });
const bothClient = createSynapClient<typeof both.catalogue>({ url: "http://127.0.0.1:3400" });
void bothClient.publish({ type: "note.creation.requested", data: { content: "Hello" } });
void bothClient.publish({ type: "order.placed", data: { total: 1 } });

// So has the engine, from what it takes to what it gives back.
async function run(): Promise<void> {
  const synap = await createSynap(config, { dataDirectory: ".synap" });
  await synap.publish({ type: "order.placed", data: { total: 1 } });
  // @ts-expect-error an unknown type
  await synap.publish({ type: "order.place", data: { total: 1 } });
  const stream = { aggregateType: "order", aggregateId: "o1" };
  // @ts-expect-error the data of another type
  await synap.append(stream, "any", [{ type: "order.paid", data: { total: 1 } }]);
  for await (const event of synap.readStream(stream)) {
    if (event.type === "order.placed") event.data.total.toFixed(2);
    // @ts-expect-error no event has this type
    if (event.type === "order.gone") event.id;
  }
}
void run;

// @ts-expect-error a misspelt entry
defineConfig({ handler: [] });
