import { synapEventSchema } from "@synap/types";
import { SNAKE_CASE_FIELDS, snakeName } from "@synap/types/internal";
import { array, assert, constantFrom, jsonValue, property, record, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";
import { inSnakeCase, unifySpelling } from "./snake-case.ts";

describe("an event in snake case", () => {
  it("has another spelling for these fields", () => {
    expect(Object.fromEntries(SNAKE_CASE_FIELDS)).toEqual({
      event_type: "type",
      schema_version: "schemaVersion",
      aggregate_type: "aggregateType",
      aggregate_id: "aggregateId",
      user_id: "userId",
      created_by: "createdBy",
      request_id: "requestId",
      correlation_id: "correlationId",
      causation_id: "causationId",
      idempotency_key: "idempotencyKey",
      valid_from: "validFrom",
      valid_to: "validTo",
    });
  });

  it("is the same event as in camel case, whichever of its fields are so spelt, and its content is not touched", () => {
    const fields = Object.keys(synapEventSchema.shape);
    const spelt = uniqueArray(record({ field: constantFrom(...fields), snake: constantFrom(true, false) }), {
      selector: ({ field }) => field,
    });
    assert(
      property(spelt, array(jsonValue()), (chosen, values) => {
        const value = (index: number) => ({
          some_key: values[index % Math.max(1, values.length)],
          event_type: 1,
        });
        const sent = chosen.map(({ field, snake }, index) => [
          snake ? snakeName(field) : field,
          value(index),
        ]);
        const stored = chosen.map(({ field }, index) => [field, value(index)]);
        const unified = unifySpelling(Object.fromEntries(sent));
        expect(unified?.event ?? Object.fromEntries(sent)).toEqual(Object.fromEntries(stored));
        expect(unified?.issues ?? []).toEqual([]);
      }),
    );
  });

  it("must not have a field in both spellings, even with the same value", () => {
    const unified = unifySpelling({ event_type: "a.b", type: "a.b", data: {} });
    expect(unified?.issues).toEqual([
      { path: "event_type", code: "spelt-twice", reason: 'is given as "type" too' },
    ]);
  });

  it("is not copied when it has none of them", () => {
    expect(unifySpelling({ type: "a.b", data: { event_type: 1 }, some_thing: 1 })).toBeUndefined();
  });

  it("names faults as they were sent", () => {
    const unified = unifySpelling({ event_type: "a.b", aggregateId: "", data: {} });
    const found = ["type", "aggregateId", "aggregateType", "data.type", ""].map((path) => ({
      path,
      code: "c",
      reason: "r",
    }));
    expect(found.map((issue) => unified?.named(issue).path)).toEqual([
      "event_type",
      "aggregateId",
      "aggregate_type",
      "data.type",
      "",
    ]);
  });
});

describe("a response in snake case", () => {
  it("has every name in snake case but those of senders", () => {
    const event = {
      type: "a.b",
      aggregateId: "1",
      data: { aKey: { bKey: 1 } },
      metadata: { cKey: [{ dKey: 1 }] },
    };
    expect(inSnakeCase({ events: [event], nextCursor: "x", stream: { aggregateType: "a" } })).toEqual({
      events: [{ event_type: "a.b", aggregate_id: "1", data: event.data, metadata: event.metadata }],
      next_cursor: "x",
      stream: { aggregate_type: "a" },
    });
  });
});
