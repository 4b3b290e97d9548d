import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTimestamp } from "./timestamp.ts";

const read = (text: string) => {
  const reading = readTimestamp(text);
  return reading.ok ? reading.text : reading.code;
};
const moment = fc.date({
  min: new Date("1970-01-01T00:00:00.000Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});

describe("readTimestamp", () => {
  it("writes every RFC 3339 date-time in UTC with milliseconds", () => {
    expect(read("2026-01-31T09:30:00.000Z")).toBe("2026-01-31T09:30:00.000Z");
    expect(read("2026-01-31T09:30:00Z")).toBe("2026-01-31T09:30:00.000Z");
    expect(read("2026-01-31t09:30:00.5z")).toBe("2026-01-31T09:30:00.500Z");
    expect(read("2026-01-31T09:30:00.25+05:30")).toBe("2026-01-31T04:00:00.250Z");
    expect(read("2026-01-31T20:30:00-05:00")).toBe("2026-02-01T01:30:00.000Z");
    expect(read("2024-02-29T00:00:00-00:00")).toBe("2024-02-29T00:00:00.000Z");
    expect(read("2000-02-29T00:00:00Z")).toBe("2000-02-29T00:00:00.000Z");
  });

  it("preserves the moment for any offset, and is idempotent", () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }), (date, offset) => {
        const local = new Date(date.getTime() + offset * 60_000);
        fc.pre(local.getUTCFullYear() >= 1969 && local.getUTCFullYear() <= 9999);
        const hours = String(Math.trunc(Math.abs(offset) / 60)).padStart(2, "0");
        const minutes = String(Math.abs(offset) % 60).padStart(2, "0");
        const written = `${local.toISOString().slice(0, -1)}${offset < 0 ? "-" : "+"}${hours}:${minutes}`;
        expect(read(written)).toBe(date.toISOString());
        expect(read(date.toISOString())).toBe(date.toISOString());
        expect(readTimestamp(written)).toMatchObject({ ok: true, milliseconds: date.getTime() });
      }),
    );
  });

  it.each([
    ["2026-01-31", "timestamp-format"],
    ["2026-01-31 09:30:00Z", "timestamp-format"],
    ["2026-01-31T09:30:00", "timestamp-format"],
    ["2026-01-31T09:30Z", "timestamp-format"],
    ["2026-01-31T09:30:00+0530", "timestamp-format"],
    ["2026-01-31T09:30:00.Z", "timestamp-format"],
    [" 2026-01-31T09:30:00Z", "timestamp-format"],
    ["2026-01-31T09:30:00Z\n", "timestamp-format"],
    ["+02026-01-31T09:30:00Z", "timestamp-format"],
    ["1769851800000", "timestamp-format"],
    [`2026-01-31T09:30:00.${"0".repeat(100_000)}Z`, "timestamp-format"],
    ["", "timestamp-format"],
    ["2026-02-29T00:00:00Z", "timestamp-impossible"],
    ["2100-02-29T00:00:00Z", "timestamp-impossible"],
    ["2026-04-31T00:00:00Z", "timestamp-impossible"],
    ["2026-00-01T00:00:00Z", "timestamp-impossible"],
    ["2026-13-01T00:00:00Z", "timestamp-impossible"],
    ["2026-01-00T00:00:00Z", "timestamp-impossible"],
    ["2026-01-01T24:00:00Z", "timestamp-impossible"],
    ["2026-01-01T23:60:00Z", "timestamp-impossible"],
    ["2016-12-31T23:59:60Z", "timestamp-impossible"],
    ["2026-01-01T00:00:00+24:00", "timestamp-impossible"],
    ["2026-01-01T00:00:00+01:60", "timestamp-impossible"],
    ["2026-01-01T00:00:00.0001Z", "timestamp-too-precise"],
    ["2026-01-01T00:00:00.123456Z", "timestamp-too-precise"],
    ["1969-12-31T23:59:59.999Z", "timestamp-out-of-range"],
    ["1970-01-01T00:59:59+01:00", "timestamp-out-of-range"],
    ["9999-12-31T23:30:00-01:00", "timestamp-out-of-range"],
    ["0070-01-01T00:00:00Z", "timestamp-out-of-range"],
  ])("refuses %j as %s", (text, code) => {
    expect(read(text)).toBe(code);
  });

  it("accepts digits beyond milliseconds if they are zeros", () => {
    expect(read("2026-01-01T00:00:00.123000Z")).toBe("2026-01-01T00:00:00.123Z");
  });
});
