import { describe, expect, it } from "vitest";
import { checkMoment } from "./check-moment.ts";
import { checkTimestampWindow } from "./timestamp-window.ts";

describe("checkMoment", () => {
  it("accepts a Date of the years 1 to 9999, or text with any offset", () => {
    for (const text of ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
      expect(checkMoment("at", new Date(text)).toISOString()).toBe(text);
    expect(checkMoment("at", "2026-01-01T00:00:00+23:59").toISOString()).toBe("2025-12-31T00:01:00.000Z");
  });

  it.each([
    new Date(Number.NaN),
    new Date("0000-12-31T23:59:59.999Z"),
    new Date("+010000-01-01T00:00:00.000Z"),
    "yesterday",
    "2026-02-30T00:00:00Z",
    "",
  ])("is not %j", (value) => {
    expect(() => checkMoment("at", value)).toThrow(
      expect.objectContaining({
        code: "MOMENT_INVALID",
        parameter: "at",
        message: expect.stringContaining('"at" '),
      }),
    );
  });

  it("is used by the timestamp window, which would otherwise accept any value", () => {
    const now = new Date(Number.NaN);
    expect(() => checkTimestampWindow({ timestamp: "2026-01-01T00:00:00.000Z" }, { now })).toThrow("now");
  });
});
