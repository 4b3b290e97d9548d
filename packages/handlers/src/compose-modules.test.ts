import { defineEventType } from "@synap/types";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { composeModules } from "./compose-modules.ts";
import { defineHandler } from "./handler/event-handler.ts";
import type { SynapModule } from "./module.ts";
import { defineReadModel } from "./read-models/read-model.ts";

const orderPlaced = defineEventType({
  name: "order.placed",
  description: "An order was placed.",
  schema: z.strictObject({ total: z.number() }),
  example: { total: 12.5 },
});
const mailer = defineHandler({
  name: "mailer",
  description: "Mails a confirmation.",
  events: [orderPlaced],
  mode: "async",
  handle: () => Promise.resolve(),
});
const ordersAt = (path: string) =>
  defineReadModel({
    path,
    description: "Orders",
    writtenBy: [],
    parameters: z.strictObject({}),
    response: z.object({ orders: z.array(z.string()) }),
    read: () => Promise.resolve({ orders: [] }),
  });
const compose = (...modules: SynapModule[]) =>
  composeModules(modules.map((module, index) => ({ path: `modules[${index}]`, module })));

describe("modules", () => {
  it("are composed in their order, together with the audit log and the compliance figures", () => {
    const composed = compose(
      { handlers: [mailer] },
      { eventTypes: [orderPlaced], readModels: [ordersAt("orders")] },
    );
    expect(composed.catalogue.types).toEqual([orderPlaced]);
    expect(composed.handlers).toEqual([mailer]);
    expect(composed.projections).toEqual([]);
    expect(composed.readModels.map(({ path }) => path)).toEqual(["orders", "compliance", "audit-log"]);
  });

  const own = { eventTypes: [orderPlaced], handlers: [mailer] };
  it.each<[string, SynapModule[], string]>([
    [
      "an event type",
      [own, { eventTypes: [orderPlaced] }],
      'modules[1].eventTypes[0]: the event type "order.placed" is already at modules[0].eventTypes[0]; rename or remove one',
    ],
    [
      "a handler",
      [own, { handlers: [mailer] }],
      'modules[1].handlers[0]: the handler, projection or sink "mailer" is already at modules[0].handlers[0]; rename or remove one',
    ],
    [
      "the path of a read model",
      [{ readModels: [ordersAt("audit-log")] }],
      'Synap itself.readModels[1]: the read model "audit-log" is already at modules[0].readModels[0]; rename or remove one',
    ],
  ])("can't name %s twice", (_what, modules, message) => {
    expect(() => compose(...modules)).toThrow(message);
  });

  it("refuse a handler of an event type that no module defines", () => {
    expect(() => compose({ handlers: [mailer] })).toThrow(
      'modules[0].handlers[0]: "mailer" names event types that no module has: "order.placed"; add their definitions to eventTypes',
    );
  });

  it("refuse a misspelt event type or key, and suggest the right one", () => {
    const misspelt = { ...mailer, eventTypes: ["order.place", "stock.counted"] };
    expect(() => compose({ eventTypes: [orderPlaced], handlers: [misspelt] })).toThrow(
      'names event types that no module has: "order.place" (did you mean "order.placed"?), "stock.counted"; add',
    );
    // A config in JavaScript may hold anything.
    expect(() => compose(Object({ eventType: [orderPlaced] }))).toThrow(
      'modules[0]: unknown key "eventType" (did you mean "eventTypes"?); allowed: eventTypes, handlers, ',
    );
  });

  // A config may be JavaScript, or hold a value whose type the compiler doesn't see.
  it.each<[string, object, string]>([
    ["a list that is none", { eventTypes: orderPlaced }, "modules[0].eventTypes: must be an array"],
    [
      "an entry that is not defined yet",
      { eventTypes: [orderPlaced, undefined] },
      "modules[0].eventTypes[1]: must be a definition, and is undefined; is it defined before it is used here?",
    ],
    [
      "an entry by name",
      { handlers: ["mailer"] },
      "modules[0].handlers[0]: must be a definition, and is mailer",
    ],
    [
      "an unknown mode",
      { ...own, handlers: [{ ...mailer, mode: "asnyc" }] },
      'modules[0].handlers[0]: "mailer" has the mode "asnyc" (did you mean "async"?); it must be "inline" or "async"',
    ],
  ])("refuse %s", (_, module, message) => {
    expect(() => compose(module)).toThrow(message);
  });

  it("refuse a read model whose response would have the name of an API resource", () => {
    expect(() => compose({ readModels: [ordersAt("stored-event")] })).toThrow(
      'modules[0].readModels[0]: the path "stored-event" would name its response "StoredEvent", which is a resource of the API; change the path',
    );
  });
});

describe("what writes a read model", () => {
  it("is in the application", () => {
    const mailed = defineReadModel({ ...ordersAt("mailed"), writtenBy: [mailer] });
    expect(() => compose({ readModels: [mailed] })).toThrow(
      'modules[0].readModels[0]: the read model "mailed" is written by "mailer", which no module has; add it to projections or handlers',
    );
    expect(() =>
      compose({ eventTypes: [orderPlaced], handlers: [mailer], readModels: [mailed] }),
    ).not.toThrow();
  });

  it.each([
    ["nothing", undefined],
    ["a name", ["mailer"]],
    ["a handler without a list", mailer],
  ])("is named by its definition, not by %s", (_what, writtenBy) => {
    const define = () => defineReadModel({ ...ordersAt("mailed"), writtenBy: writtenBy as never });
    expect(define).toThrow(
      'The read model "mailed" needs writtenBy: a list of the projections and handlers that write its rows, empty for a view over the log.',
    );
  });
});

describe("defineReadModel", () => {
  it.each([
    ["Orders", "needs a path of lower case words joined by dashes"],
    ["orders/open", "needs a path of lower case words joined by dashes"],
    ["events", "has a path that Synap's API uses itself"],
  ])("refuses the path %s", (path, reason) => {
    expect(() => ordersAt(path)).toThrow(`The read model "${path}" ${reason}.`);
  });

  it("refuses a response that JSON Schema can't describe", () => {
    const response = z.object({ at: z.date() });
    const model = {
      path: "orders",
      description: "",
      writtenBy: [],
      parameters: z.strictObject({}),
      response,
    };
    expect(() => defineReadModel({ ...model, read: () => Promise.resolve({ at: new Date() }) })).toThrow(
      'The read model "orders" has a response that JSON Schema can\'t describe',
    );
  });
});
