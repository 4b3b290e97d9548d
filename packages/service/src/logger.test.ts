import { thrownFacts } from "@synap/types/internal";
import { thrownValues } from "@synap/types/testing";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { formatRecord, serializeError } from "./logger.ts";

const record = {
  level: 30,
  time: Date.UTC(2026, 0, 2),
  pid: 1,
  hostname: "h",
  name: "api",
  msg: "3 events stored",
};

describe("formatRecord", () => {
  it("writes one line: time, level, process, message, fields", () => {
    const line = formatRecord(JSON.stringify({ ...record, envelope: "abc", counts: { a: 1 } }));
    expect(line).toBe('2026-01-02T00:00:00.000Z info  api: 3 events stored envelope=abc counts={"a":1}\n');
  });

  it("puts an error's stack on the lines below", () => {
    const line = formatRecord(JSON.stringify({ ...record, level: 50, err: { stack: "Error: x\n  at y" } }));
    expect(line).toBe("2026-01-02T00:00:00.000Z error api: 3 events stored\nError: x\n  at y\n");
  });
});

describe("serializeError", () => {
  it.each(Object.keys(thrownValues))("logs %s in a record of bounded size", (what) => {
    const thrown = thrownValues[what];
    let record = "";
    const log = pino({ serializers: { err: serializeError } }, { write: (text: string) => (record = text) });
    log.error({ err: thrown }, "it failed");
    expect(record.length).toBeLessThan(500_000);
    const { msg, err } = JSON.parse(record);
    expect(msg).toBe("it failed");
    if (thrown !== undefined) expect(err.message).toEqual(expect.any(String));
  });

  it("keeps the message and the causes of an ordinary error", () => {
    const error = Object.assign(new RangeError("too far", { cause: new Error("the wind") }), { by: 3 });
    expect(serializeError(error)).toMatchObject({
      type: "RangeError",
      message: "too far: the wind",
      stack: expect.stringContaining("caused by: Error: the wind"),
      by: 3,
    });
    const frozen = Object.freeze(error);
    expect(serializeError(frozen)).toEqual(thrownFacts(frozen));
  });
});
