import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEventCatalogue, seedCatalogue } from "../index.ts";
import { didYouMean, nearMatches } from "../internal.ts";

describe("near matches of a name", () => {
  const names = seedCatalogue.types.map(({ name }) => name);

  it.each([
    ["a letter left out", "note.creation.requestd", "note.creation.requested"],
    ["letters swapped", "invoice.craeted", "invoice.created"],
    ["a class name", "InvoiceCreated", "invoice.created"],
    ["other separators", "product_price-changed", "product.price_changed"],
    ["another tense", "task.complete", "task.completed"],
  ])("find the name that was meant: %s", (_kind, typed, meant) => {
    expect(nearMatches(typed, names)[0]).toBe(meant);
  });

  it("are at most three, the nearest first, and none for a name that resembles no other", () => {
    expect(nearMatches("ordr", ["orders", "order", "odr", "ordr2", "invoice"])).toEqual([
      "order",
      "odr",
      "ordr2",
    ]);
    for (const typed of ["", "x", "...", "stock-take", "x".repeat(100_000)]) {
      expect(nearMatches(typed, names)).toEqual([]);
    }
  });

  it("are formatted as a question after the name", () => {
    expect(didYouMean("odrer", ["order"])).toBe(' (did you mean "order"?)');
    expect(didYouMean("ordre", ["ordee", "order"])).toBe(' (did you mean "ordee" or "order"?)');
    expect(didYouMean("stock", ["order"])).toBe("");
  });

  it("find every name with one letter changed", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.nat(),
        fc.constantFrom("", "z", "zz".slice(1)),
        (name, at, by) => {
          const index = at % name.length;
          expect(nearMatches(name.slice(0, index) + by + name.slice(index + 1), names)).toContain(name);
        },
      ),
    );
  });
});

describe("an event with an unknown type or field", () => {
  const issuesOf = (event: object) => {
    const reading = seedCatalogue.safeParseSynapEvent(event);
    return reading.ok ? [] : reading.issues;
  };
  const note = seedCatalogue.createSynapEvent({
    type: "note.creation.requested",
    data: { content: "Hello" },
  });

  it("is refused with a suggestion of the right type", () => {
    expect(issuesOf({ ...note, type: "note.creation.request" })).toEqual([
      {
        path: "type",
        code: "unknown-event-type",
        reason:
          'names "note.creation.request", which is not in the catalogue (did you mean "note.creation.requested"?)',
      },
    ]);
    const unknown = { ...note, type: "stock.counted" };
    expect(issuesOf(unknown)[0]?.reason).toBe('names "stock.counted", which is not in the catalogue');
    expect(() => createEventCatalogue([]).parseSynapEvent(unknown)).toThrow("is not in the catalogue");
  });

  it("is refused with a suggestion of the right field, in data as well", () => {
    expect(issuesOf({ ...note, data: { contents: "Hello" } })).toContainEqual({
      path: "data.contents",
      code: "unknown-field",
      reason: 'is not a field of this event type (did you mean "content"?)',
    });
    expect(issuesOf({ ...note, userID: "u", correlation_id: "c" })).toEqual([
      {
        path: "userID",
        code: "unknown-field",
        reason: 'is not a field of an event (did you mean "userId"?)',
      },
      {
        path: "correlation_id",
        code: "unknown-field",
        reason: 'is not a field of an event (did you mean "correlationId"?)',
      },
    ]);
  });
});
