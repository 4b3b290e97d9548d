import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thrownFacts } from "./thrown-facts.ts";

const trap = () => {
  throw new Error("a trap");
};
const hostileProxy = new Proxy(new Error("inside"), {
  get: trap,
  has: trap,
  getPrototypeOf: trap,
  ownKeys: trap,
  getOwnPropertyDescriptor: trap,
});
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

/** Takes no memory until it is flattened. */
const LONG = "x".repeat(200_000_000);

function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level += 1) value = { in: value };
  return value;
}

const withGetters = (keys: readonly string[]) =>
  keys.reduce((error, key) => Object.defineProperty(error, key, { get: trap }), new Error("behind getters"));

describe("thrownFacts", () => {
  it.each<[string, unknown, object]>([
    ["an error", new RangeError("too far"), { name: "RangeError", message: "too far", isError: true }],
    ["an error with a code", Object.assign(new Error("x"), { code: "E_X" }), { code: "E_X" }],
    ["an error without a message", new RangeError(), { message: "RangeError" }],
    ["a text", "no", { name: "Error", message: "no", isError: false }],
    ["undefined", undefined, { message: "undefined" }],
    ["null", null, { message: "null" }],
    ["a symbol", Symbol("s"), { message: "Symbol(s)" }],
    ["a bigint", 5n, { message: "5" }],
    ["an object", { reason: "no" }, { message: '{"reason":"no"}' }],
    [
      "an object like an error",
      { message: "no", code: "E_X" },
      { message: "no", code: "E_X", isError: false },
    ],
    ["an object without a prototype", Object.create(null), { message: "{}" }],
    [
      "a message that is no text",
      Object.assign(new Error("x"), { message: { a: 1 } }),
      { message: '{"a":1}' },
    ],
    ["a cyclic object", cyclic, { message: "an object that can't be read" }],
    ["getters that throw", withGetters(["stack", "message", "name", "code"]), { name: "Error" }],
    ["a Proxy whose traps throw", hostileProxy, { message: "an object that can't be read", isError: false }],
    ["a revoked Proxy", revoked.proxy, { message: "an object that can't be read" }],
    [
      "NUL and half a surrogate pair",
      Object.assign(new Error("a\0b\ud800"), { code: "E\0", name: "N\0" }),
      { message: "a\ufffdb\ufffd", code: "E\ufffd", name: "N\ufffd" },
    ],
    [
      "several errors",
      new AggregateError([new Error("one"), "two", { message: "three" }, 4], "all failed"),
      { message: "all failed: one; two; three (and 1 more)" },
    ],
    ["an object whose toJSON throws", { reason: "no", toJSON: trap }, { message: '{"reason":"no"}' }],
    ["an object whose toString throws", { toString: trap, [Symbol.toPrimitive]: trap }, { message: "{}" }],
    [
      "a function whose toString throws",
      Object.assign(() => {}, { toString: trap }),
      { message: "a function" },
    ],
    ["a bigint of a million digits", 10n ** 1_000_000n, { message: "a bigint of many digits" }],
    ["a Uint8Array", { bytes: new Uint8Array(9) }, { message: '{"bytes":"[object Uint8Array]"}' }],
    ["deep nesting", nested(10_000), { message: `${'{"in":'.repeat(8)}"{...}"${"}".repeat(8)}` }],
    ["an array of four thousand million members", { list: new Array(2 ** 32 - 1) }, { name: "Error" }],
    [
      "several errors that are 400 MB long together, more than a text can be",
      new AggregateError([new Error(LONG), new Error(LONG)], LONG),
      { name: "AggregateError" },
    ],
    ["a stack of 200 MB", Object.assign(new Error("x"), { stack: LONG }), { message: "x" }],
    ["an object of long texts", Array.from({ length: 9_000 }, () => LONG), { name: "Error" }],
  ])("reads %s", (_what, thrown, facts) => {
    expect(thrownFacts(thrown)).toMatchObject(facts);
  });

  it("truncates long texts, never in the middle of a character", () => {
    const { message } = thrownFacts(new Error(`${"x".repeat(9_998)}😀 and more`));
    expect(message).toBe(`${"x".repeat(9_998)}\ufffd…`);
    expect(thrownFacts({ message: "m", name: "n".repeat(500) }).name).toHaveLength(128);
  });

  it("accepts any value, and returns text that JSON and PostgreSQL can hold", () => {
    // fast-check itself can't hold a Proxy whose traps throw: it is put in afterwards. The stack comes first: V8 writes
    // it out when it is replaced, for which it reads the message.
    const part = fc.oneof(fc.string({ unit: "binary" }), fc.anything(), fc.constant(HOSTILE));
    const parts = fc.record({
      name: part,
      message: part,
      code: part,
      stack: part,
      cause: part,
      errors: part,
    });
    const thrown = fc.oneof(
      fc.anything({ withNullPrototype: true, withSparseArray: true, withDate: true, withMap: true }),
      parts,
      fc.tuple(parts),
    );
    fc.assert(
      fc.property(thrown, (value) => {
        const facts = thrownFacts(Array.isArray(value) ? errorWith(value[0]) : value);
        expect(facts.message).not.toBe("");
        for (const text of [facts.name, facts.message, facts.code, facts.stack]) {
          expect(text ?? "").not.toMatch(/\0|\p{Surrogate}/u);
        }
      }),
    );
  });
});

const HOSTILE = "a hostile Proxy";

function errorWith(parts: unknown): Error {
  const { stack, ...others } = Object(parts);
  const error = Object.defineProperty(new Error(), "stack", { value: partValue(stack) });
  for (const [key, value] of Object.entries(others))
    Object.defineProperty(error, key, { value: partValue(value) });
  return error;
}

function partValue(part: unknown): unknown {
  return part === HOSTILE ? hostileProxy : part;
}
