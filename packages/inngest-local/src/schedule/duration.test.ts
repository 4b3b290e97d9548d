import { describe, expect, it } from "vitest";
import { parseDueTime, parseDuration } from "./duration.ts";

describe("durations", () => {
  it("parses the SDK's compound form", () => {
    expect(parseDuration("1d2h3m4s")).toBe(93_784_000);
    expect(parseDuration("2w")).toBe(1_209_600_000);
    expect(parseDuration("1.5s")).toBe(1_500);
    expect(parseDuration("250ms")).toBe(250);
  });

  it("refuses anything else", () => {
    for (const text of ["", "1", "1x", "s", "1s ", "-1s", "P1D"]) expect(parseDuration(text)).toBeUndefined();
  });

  it("parses a duration or a date as a due time", () => {
    // The queue's clock is a minute ahead of the wall clock.
    const clock = { now: () => 500, atWall: (time: number) => time + 60_000 };
    expect(parseDueTime("2026-01-01T00:00:01.000Z", clock)).toBe(Date.UTC(2026, 0, 1, 0, 1, 1));
    expect(parseDueTime("2s", clock)).toBe(2_500);
    expect(parseDueTime("later", clock)).toBeUndefined();
  });
});
