import type { SynapEvent } from "@synap/types";
import { describe, expect, it } from "vitest";
import { makeEvents } from "./make-events.ts";

const streamOf = (event: SynapEvent) => `${event.aggregateType}/${event.aggregateId}`;
const streams = (events: readonly SynapEvent[]) => new Set(events.map(streamOf)).size;

describe("events for measurements", () => {
  it("are spread over as many streams as asked for, or start a new one each", () => {
    expect(streams(makeEvents({ count: 1_000, streams: 1 }))).toBe(1);
    expect(streams(makeEvents({ count: 1_000, streams: 100 }))).toBe(100);
    expect(streams(makeEvents({ count: 1_000, streams: "new" }))).toBe(1_000);
  });

  it("have 300 to 400 bytes of data, whatever their type", () => {
    const events = [0, 99_999_000].flatMap((first) => makeEvents({ count: 1_000, streams: 100, first }));
    const sizes = events.map((event) => Buffer.byteLength(JSON.stringify(event.data)));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(300);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(400);
    expect(new Set(events.map((event) => event.type)).size).toBe(8);
  });

  it("are the same each time, but for their ids", () => {
    const plan = { count: 50, streams: 7, span: { from: new Date(0), to: new Date(5_000) } };
    const [once, again] = [makeEvents(plan), makeEvents(plan)];
    const withoutIds = (events: readonly SynapEvent[]) => events.map(({ id: _, ...rest }) => rest);
    expect(withoutIds(again)).toEqual(withoutIds(once));
    expect(new Set([...once, ...again].map(({ id }) => id)).size).toBe(100);
  });

  it("go on where an earlier call ended", () => {
    const span = { from: new Date(0), to: new Date(1) };
    const describe = (event: SynapEvent) => [event.type, streamOf(event), event.data];
    const whole = makeEvents({ count: 40, streams: 3, span });
    const parts = [
      makeEvents({ count: 15, streams: 3, span }),
      makeEvents({ count: 25, streams: 3, first: 15, span }),
    ];
    expect(parts.flat().map(describe)).toEqual(whole.map(describe));
  });

  it("keep apart by lane", () => {
    const [one] = makeEvents({ count: 1, streams: 1, lane: "one" });
    const [two] = makeEvents({ count: 1, streams: 1, lane: "two" });
    expect(one && streamOf(one)).toBe("order/one-0");
    expect(two && streamOf(two)).toBe("order/two-0");
  });

  it("fill a span of time evenly, its end excluded, or are of now", () => {
    const span = { from: new Date("2026-03-01T00:00:00Z"), to: new Date("2026-03-01T00:00:04Z") };
    expect(makeEvents({ count: 4, streams: 1, span }).map(({ timestamp }) => timestamp)).toEqual([
      "2026-03-01T00:00:00.000Z",
      "2026-03-01T00:00:01.000Z",
      "2026-03-01T00:00:02.000Z",
      "2026-03-01T00:00:03.000Z",
    ]);
    const before = Date.now();
    const [now] = makeEvents({ count: 1, streams: 1 });
    expect(Date.parse(now?.timestamp ?? "")).toBeGreaterThanOrEqual(before);
  });
});
