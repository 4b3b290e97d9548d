import { describe, expect, it } from "vitest";
import { formatRecord } from "./logger.ts";

const record = {
  level: 30,
  time: Date.UTC(2026, 0, 2),
  pid: 1,
  hostname: "h",
  name: "api",
  msg: "3 events stored",
};

describe("formatRecord", () => {
  it("writes one line: time, level, who, what, fields", () => {
    const line = formatRecord(JSON.stringify({ ...record, envelope: "abc", counts: { a: 1 } }));
    expect(line).toBe('2026-01-02T00:00:00.000Z info  api: 3 events stored envelope=abc counts={"a":1}\n');
  });

  it("puts an error's stack on the lines below", () => {
    const line = formatRecord(JSON.stringify({ ...record, level: 50, err: { stack: "Error: x\n  at y" } }));
    expect(line).toBe("2026-01-02T00:00:00.000Z error api: 3 events stored\nError: x\n  at y\n");
  });
});
