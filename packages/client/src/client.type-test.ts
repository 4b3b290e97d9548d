/**
 * Code that the compiler must accept or refuse. Never run: `tsc` reads it, and an `@ts-expect-error` above a line that
 * compiles is itself an error.
 */
import type { seedCatalogue } from "@synap/types";
import type { z } from "zod";
import { createSynapClient, isProblem, type SynapProblem } from "./index.ts";

const synap = createSynapClient<typeof seedCatalogue>({ url: "http://127.0.0.1:3400" });

// Publishing follows the catalogue.
void synap.publish({ type: "note.creation.requested", data: { content: "Hello" } });
// @ts-expect-error a misspelt field
void synap.publish({ type: "note.creation.requested", data: { contents: "Hello" } });
// @ts-expect-error an unknown type
void synap.publish({ type: "note.creation.request", data: { content: "Hello" } });
// @ts-expect-error the data of another type
void synap.publishBatch([{ type: "invoice.created", data: { content: "Hello" } }]);

// So does appending.
const stream = { aggregateType: "note", aggregateId: "n" };
void synap.append(stream, [{ type: "note.creation.requested", data: { content: "Hello" } }], {
  expectedVersion: 3,
});
// @ts-expect-error the stream's name completes the event
void synap.append(stream, [{ type: "note.creation.requested", aggregateId: "m", data: { content: "" } }]);

// Reading gives data by type.
async function read(): Promise<void> {
  for await (const event of synap.readStream(stream)) {
    // @ts-expect-error not before the type is known
    event.data.content;
    if (event.type === "note.creation.requested") event.data.content.toUpperCase();
    // @ts-expect-error no event has this type
    if (event.type === "note.creation.request") event.id;
  }
  for await (const event of synap.query({ type: ["invoice.created", "invoice.sent"] })) {
    switch (event.type) {
      case "invoice.created":
      case "invoice.sent":
        break;
      default:
        event satisfies never;
    }
  }
  // @ts-expect-error a misspelt field
  for await (const event of synap.subscribe({ type: "invoice.created" })) event.data.amounts;
  for await (const event of synap.query({ type: "invoice.created" })) event.data.amount.toFixed(2);
  for await (const event of synap.query({ type: ["invoice.created", "note.creation.completed"] })) {
    if (event.type === "invoice.created") event.data.amount.toFixed(2);
    // @ts-expect-error it wasn't asked for
    if (event.type === "note.creation.requested") event.id;
  }
  // @ts-expect-error an unknown type
  synap.query({ type: "invoice.create" });
  for await (const event of synap.subscribe({ type: "invoice.created" })) event.data.amount.toFixed(2);
}
void read;

// Problems are discriminated by their code.
function decide(error: SynapProblem): number | string {
  if (error.problem.code === "optimistic-lock") return error.problem.actualVersion;
  // @ts-expect-error only an optimistic lock has it
  error.problem.actualVersion;
  if (isProblem(error, "command-refused")) return error.problem.rule;
  return error.code;
}
void decide;

// A decider gives the types of its aggregates.
interface Lamp {
  evolve(state: { on: boolean }, event: { type: "lamp.switched"; data: { on: boolean } }): { on: boolean };
  decide(command: { type: "switch"; data: { on: boolean } }, state: { on: boolean }): readonly never[];
}
async function command(): Promise<boolean | undefined> {
  const lamps = synap.aggregates<Lamp>({ type: "lamp", path: "lamps" });
  await lamps.execute("l", { type: "switch", data: { on: true } });
  // @ts-expect-error an unknown command
  await lamps.execute("l", { type: "toggle", data: {} });
  return (await lamps.load("l"))?.state.on;
}
void command;

// A read model gives the types of its path, parameters and answer.
interface OpenOrders {
  path: "open-orders";
  parameters: z.ZodObject<{ customer: z.ZodString; limit: z.ZodOptional<z.ZodNumber> }>;
  response: z.ZodObject<{ orders: z.ZodArray<z.ZodObject<{ id: z.ZodString; total: z.ZodNumber }>> }>;
}
async function readOrders(): Promise<number> {
  const { orders } = await synap.readModel<OpenOrders>("open-orders", { customer: "c1", limit: 5 });
  // @ts-expect-error another path
  await synap.readModel<OpenOrders>("orders", { customer: "c1" });
  // @ts-expect-error the customer is required
  await synap.readModel<OpenOrders>("open-orders");
  // @ts-expect-error a misspelt parameter
  await synap.readModel<OpenOrders>("open-orders", { costumer: "c1" });
  // @ts-expect-error a misspelt field of the response
  orders[0]?.totals;
  return orders[0]?.total ?? 0;
}
void readOrders;
