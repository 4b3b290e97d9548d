import { describe, expect, it } from "vitest";
import { checkTimestampWindow } from "./timestamp-window.ts";

const now = new Date("2026-03-10T12:00:00.000Z");
const check = (timestamp: string, limits = {}) => checkTimestampWindow({ timestamp }, { now, ...limits });

describe("checkTimestampWindow", () => {
  it("accepts events from seven days ago to five minutes ahead, inclusive", () => {
    expect(check("2026-03-03T12:00:00.000Z")).toBeUndefined();
    expect(check("2026-03-10T12:05:00.000Z")).toBeUndefined();
    expect(check("2026-03-03T11:59:59.999Z")?.code).toBe("timestamp-too-old");
    expect(check("2026-03-10T12:05:00.001Z")?.code).toBe("timestamp-too-late");
  });

  it("accepts other limits, and a clock in milliseconds", () => {
    expect(check("2026-03-10T10:59:00.000Z", { lateness: 3_600_000 })).toEqual({
      path: "timestamp",
      code: "timestamp-too-old",
      reason: "is older than 1 hour: send old events as a backfill",
    });
    expect(check("2026-03-10T12:00:00.001Z", { ahead: 0, now: now.getTime() })?.code).toBe(
      "timestamp-too-late",
    );
    expect(check("2026-03-10T12:00:00.001Z", { ahead: 0 })?.reason).toContain("0 ms ahead");
  });
});
