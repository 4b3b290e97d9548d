import { seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import type { IEventHandler } from "./event-handler.ts";
import { DuplicateHandlerError, UnknownEventTypeError, UnknownHandlerError } from "./handler-errors.ts";
import { HandlerRegistry } from "./handler-registry.ts";

const handler = (part: Partial<IEventHandler>): IEventHandler => ({
  name: "counter",
  description: "Counts.",
  eventTypes: "all",
  mode: "async",
  handle: async () => {},
  ...part,
});

describe("HandlerRegistry", () => {
  it("refuses a second handler of the same name, inline or not", () => {
    const registry = new HandlerRegistry(seedCatalogue, [handler({})]);
    expect(() => registry.register(handler({ mode: "inline" }))).toThrow(DuplicateHandlerError);
  });

  it("refuses a handler of an event type that is not in the catalogue, by name", () => {
    const misspelt = handler({ eventTypes: ["note.creation.completed", "note.creation.complete"] });
    expect(() => new HandlerRegistry(seedCatalogue, [misspelt])).toThrow(UnknownEventTypeError);
    expect(() => new HandlerRegistry(seedCatalogue, [misspelt])).toThrow(
      '"note.creation.complete", which is not in the catalogue (did you mean "note.creation.completed"?)',
    );
  });

  it("keeps the order of registration, inline and asynchronous apart", () => {
    const registry = new HandlerRegistry(seedCatalogue, [
      handler({ name: "b", mode: "inline" }),
      handler({ name: "c" }),
      handler({ name: "a", mode: "inline" }),
    ]);
    expect(registry.inline.map((each) => each.name)).toEqual(["b", "a"]);
    expect(registry.asynchronous.map((each) => each.name)).toEqual(["c"]);
  });

  it("finds no asynchronous handler under the name of an inline one", () => {
    const registry = new HandlerRegistry(seedCatalogue, [handler({ mode: "inline" })]);
    expect(() => registry.getAsynchronous("counter")).toThrow(UnknownHandlerError);
    registry.register(handler({ name: "mailer" }));
    expect(() => registry.getAsynchronous("mailers")).toThrow('did you mean "mailer"?');
  });
});
