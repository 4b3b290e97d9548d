import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineEventType } from "./define-event-type.ts";
import { createEventCatalogue } from "./event-catalogue.ts";
import { StoredDataInvalidError } from "./stored-data-error.ts";

const name = "order.placed";
const description = "A customer placed an order.";
const wide = createEventCatalogue([
  defineEventType({
    name,
    description,
    schema: z.strictObject({ lines: z.array(z.number()) }),
    example: { lines: [] },
  }),
]);
const narrow = (parse: boolean) =>
  createEventCatalogue([
    defineEventType({
      name,
      description,
      schema: z.strictObject({ lines: z.array(z.int()) }),
      example: { lines: [] },
      parse,
    }),
  ]);
const stored = (lines: readonly number[], about: object = {}) => ({
  ...wide.createSynapEvent({ type: name, data: { lines: [...lines] } }),
  position: 1,
  streamVersion: 1,
  recordedAt: "2026-01-01T00:00:00.000Z",
  ...about,
});

function faultOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

describe("a type with parse", () => {
  it("has its data validated as it is read, and names the event, the version and the place", () => {
    const event = stored([1, 2.5]);
    for (const read of [() => narrow(true).upcast(event), () => narrow(true).typeStored([event])]) {
      const fault = faultOf(read);
      expect(fault).toBeInstanceOf(StoredDataInvalidError);
      expect(fault).toMatchObject({
        code: "STORED_DATA_INVALID",
        eventId: event.id,
        eventType: name,
        schemaVersion: 1,
        pointer: "/lines/1",
        issues: [{ path: "data.lines[1]" }],
      });
      expect(String(fault)).toContain("data.lines[1]");
    }
    expect(narrow(true).upcast(stored([1]))).toMatchObject({ data: { lines: [1] } });
  });

  it("is one that asks for it: reading validates no other", () => {
    const event = stored([2.5]);
    expect(narrow(false).upcast(event)).toBe(event);
    expect(narrow(false).typeStored([event])).toEqual([event]);
  });

  it("has what its steps make validated, and nothing of a newer version", () => {
    const catalogue = createEventCatalogue([
      defineEventType({
        name,
        description,
        version: 2,
        schema: z.strictObject({ cents: z.int() }),
        example: { cents: 1 },
        upcast: {
          1: {
            schema: z.strictObject({ lines: z.array(z.number()) }),
            up: ({ lines }) => ({ cents: 100 * (lines[0] ?? 0) }),
          },
        },
        parse: true,
      }),
    ]);
    expect(catalogue.upcast(stored([1.25]))).toMatchObject({ schemaVersion: 2, data: { cents: 125 } });
    expect(faultOf(() => catalogue.upcast(stored([1.255])))).toMatchObject({
      pointer: "/cents",
      schemaVersion: 1,
    });
    const newer = stored([1], { schemaVersion: 3 });
    expect(catalogue.upcast(newer)).toBe(newer);
  });

  it("has no personal data, whose fields are not always readable", () => {
    const schema = z.strictObject({
      userId: z.string(),
      name: z.string().meta({ personal: { subject: "userId" } }),
    });
    const example = { userId: "ada", name: "Ada" };
    expect(() => defineEventType({ name, description, schema, example, parse: true })).toThrow(
      /can't have parse/,
    );
    expect(defineEventType({ name, description, schema, example })).not.toHaveProperty("parse");
  });

  it("fails with the same error where the schema throws", () => {
    const throwing = z.strictObject({
      lines: z.array(z.number()).refine((lines) => lines.length === 0 || fail()),
    });
    const fail = (): boolean => {
      throw new RangeError("not today");
    };
    const catalogue = createEventCatalogue([
      defineEventType({ name, description, schema: throwing, example: { lines: [] }, parse: true }),
    ]);
    expect(faultOf(() => catalogue.upcast(stored([1])))).toMatchObject({
      code: "STORED_DATA_INVALID",
      message: expect.stringContaining("not today"),
    });
  });
});
