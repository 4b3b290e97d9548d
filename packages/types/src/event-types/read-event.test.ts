import { describe, expect, it } from "vitest";
import { createSynapEvent, parseSynapEvent, safeParseSynapEvent } from "../catalogue/seed-catalogue.ts";
import { type EventIssue, EventValidationError } from "../issues/event-issue.ts";

const event = createSynapEvent({ type: "note.creation.requested", data: { content: "Hello" } });

const issuesOf = (value: unknown): readonly EventIssue[] => {
  const reading = safeParseSynapEvent(value);
  return reading.ok ? [] : reading.issues;
};
const faultsOf = (value: unknown) => issuesOf(value).map(({ path, code }) => `${path} ${code}`);

describe("parseSynapEvent", () => {
  it("normalises timestamps and UUIDs and leaves the rest unchanged", () => {
    const data = { content: " Hello  " };
    const metadata = { trace: { span: 1 } };
    const parsed = parseSynapEvent({
      ...event,
      id: event.id.toUpperCase(),
      causationId: event.id.toUpperCase(),
      timestamp: "2026-01-01T01:00:00+01:00",
      validFrom: "2026-01-01T00:00:00Z",
      validTo: "2026-01-01T01:00:00+00:30",
      data,
      metadata,
    });
    expect(parsed).toMatchObject({
      id: event.id,
      causationId: event.id,
      timestamp: "2026-01-01T00:00:00.000Z",
      validFrom: "2026-01-01T00:00:00.000Z",
      validTo: "2026-01-01T00:30:00.000Z",
    });
    expect(parsed.data).toBe(data);
    expect(parsed.metadata).toBe(metadata);
  });

  it("reports all issues at once", () => {
    const wrong = {
      ...event,
      id: "1",
      version: "v2",
      aggregateId: "",
      userId: "x".repeat(129),
      createdBy: "me",
      timestamp: "2026-02-30T00:00:00Z",
      data: { content: "", colour: "red" },
      metadata: { bad: "\0" },
    };
    expect(faultsOf(wrong).sort()).toEqual([
      "aggregateId too-small",
      "createdBy wrong-format",
      "data.colour unknown-field",
      "data.content too-small",
      "id wrong-format",
      "metadata.bad nul-character",
      "timestamp timestamp-impossible",
      "userId too-big",
      "version not-allowed",
    ]);
  });

  it.each([
    ["no object", null, " wrong-type"],
    ["an array", [], " wrong-type"],
    ["text", "event", " wrong-type"],
    ["an unknown type", { ...event, type: "note.unheard.of" }, "type unknown-event-type"],
    ["a malformed type", { ...event, type: "Note" }, "type wrong-format"],
    ["data that is not an object", { ...event, data: [1] }, "data wrong-type"],
    ["no data", { ...event, data: undefined }, "data missing"],
    ["metadata that is not an object", { ...event, metadata: "text" }, "metadata wrong-type"],
    [
      "another aggregate type than its own",
      { ...event, aggregateType: "order" },
      "aggregateType aggregate-type-mismatch",
    ],
    ["half a surrogate pair", { ...event, aggregateId: "\ud83d" }, "aggregateId lone-surrogate"],
    ["a NUL", { ...event, idempotencyKey: "a\0" }, "idempotencyKey nul-character"],
    ["a causation id that is not a UUID", { ...event, causationId: "earlier" }, "causationId wrong-format"],
    [
      "a prototype key",
      JSON.parse(`{"__proto__":{},${JSON.stringify(event).slice(1)}`),
      "__proto__ prototype-key",
    ],
    [
      "microseconds",
      { ...event, timestamp: "2026-01-01T00:00:00.000001Z" },
      "timestamp timestamp-too-precise",
    ],
    [
      "an empty validity",
      { ...event, validFrom: "2026-01-01T00:00:00Z", validTo: "2026-01-01T01:00:00+01:00" },
      "validTo validity-empty",
    ],
  ])("refuses %s", (_, value, fault) => {
    expect(faultsOf(value)).toContain(fault);
    expect(() => parseSynapEvent(value)).toThrow(EventValidationError);
  });

  it("refuses data nested a million deep without running out of stack", () => {
    let deep: unknown = "bottom";
    for (let level = 0; level < 1_000_000; level += 1) deep = [deep];
    expect(faultsOf({ ...event, data: { content: "Hello", deep } })).toHaveLength(1);
    expect(faultsOf({ ...event, data: deep })).toEqual(["data wrong-type"]);
    expect(faultsOf({ ...event, metadata: { deep } })[0]).toMatch(/^metadata\.deep\[0].* too-deep$/);
  });

  it("refuses millions of values before any schema creates an issue for each", () => {
    const lines = Array.from({ length: 2_000_000 }, () => 0);
    const fields = Object.fromEntries(lines.slice(0, 400_000).map((_, index) => [`field${index}`, 0]));
    const order = { ...event, type: "order.created", aggregateType: "order" };
    const refuse = () => {
      expect(faultsOf({ ...order, data: { customerId: "c", total: 1, lines } })).toEqual([
        "data too-many-values",
      ]);
      expect(faultsOf({ ...event, data: fields })).toEqual(["data too-many-values"]);
      expect(faultsOf({ ...event, ...fields })).toEqual([" unknown-field"]);
    };
    const times = (work: () => void) => {
      const from = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(from);
      return user + system;
    };
    // Measured in CPU time, which other processes don't affect.
    const parsing = times(() => JSON.parse(JSON.stringify({ lines, fields })));
    // The copies that spread the fields above take as long as parsing them.
    expect(times(refuse) / parsing).toBeLessThan(10);
  });

  it("reports a bounded number of faults", () => {
    const data = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, index]));
    expect(issuesOf({ ...event, data: { ...data, content: "Hello" } }).length).toBeLessThanOrEqual(100);
  });
});
