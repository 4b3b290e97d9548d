import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTraceContext, traceContextOf, withTraceContext } from "./trace-context.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("a traceparent", () => {
  it.each([
    PARENT,
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
    "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what.the.future.has",
  ])("is read: %s", (traceparent) => {
    expect(readTraceContext(traceparent, undefined)).toEqual({ traceparent });
  });

  it.each([
    undefined,
    7,
    "",
    PARENT.toUpperCase(),
    ` ${PARENT}`,
    `${PARENT}-more`,
    `${PARENT}\n`,
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
    `cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-${"x".repeat(300)}`,
  ])("that is malformed is none, with its tracestate: %j", (traceparent) => {
    expect(readTraceContext(traceparent, "a=1")).toBeUndefined();
  });
});

describe("a tracestate", () => {
  it.each([
    "a=1",
    "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
    "a=1, ,b=2",
    "tenant@vendor=a b",
    `a=${"x".repeat(200)}`,
  ])("is kept as it is: %s", (tracestate) =>
    expect(readTraceContext(PARENT, tracestate)).toEqual({ traceparent: PARENT, tracestate }),
  );

  it.each([
    "",
    ",",
    "a",
    "A=1",
    "a=1,a=2",
    "a=",
    "a=b=c",
    "a=ä",
    `a=${"x".repeat(600)}`,
    Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(","),
  ])("that is malformed or too long is left out: %j", (tracestate) =>
    expect(readTraceContext(PARENT, tracestate)).toEqual({ traceparent: PARENT }),
  );

  it("of any text takes no long time and is a text of visible characters", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 600, unit: "binary" }), (tracestate) => {
        const { tracestate: read } = readTraceContext(PARENT, tracestate) ?? {};
        if (read !== undefined) expect(read).toMatch(/^[ -~\s]*$/);
      }),
    );
  });
});

describe("the metadata of an event", () => {
  it("has the trace of its request, unless it has one of its own", () => {
    const trace = { traceparent: PARENT, tracestate: "a=1" };
    expect(withTraceContext(undefined, undefined)).toBeUndefined();
    expect(withTraceContext(undefined, trace)).toEqual(trace);
    expect(withTraceContext({ ip: "::1", tracestate: "old=1" }, { traceparent: PARENT })).toEqual({
      ip: "::1",
      traceparent: PARENT,
    });
    const own = { traceparent: "mine" };
    expect(withTraceContext(own, trace)).toBe(own);
    expect(traceContextOf({ metadata: { ...trace, ip: "::1" } })).toEqual(trace);
    expect(traceContextOf({ metadata: own })).toBeUndefined();
    expect(traceContextOf({})).toBeUndefined();
  });
});
