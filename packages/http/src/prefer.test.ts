import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPrefer } from "./prefer.ts";

const read = (header: string) => Object.fromEntries(readPrefer(header));

describe("the header Prefer", () => {
  // The examples of RFC 7240, sections 2, 3 and 4, among them.
  it.each([
    ["respond-async, wait=10", { "respond-async": "", wait: "10" }],
    ["foo; bar", { foo: "" }],
    ['foo; bar=""', { foo: "" }],
    ['foo=""; bar', { foo: "" }],
    ["respond-async, wait=100, handling=lenient", { "respond-async": "", wait: "100", handling: "lenient" }],
    ['return=minimal; foo="some parameter"', { return: "minimal" }],
    ["Lenient", { lenient: "" }],
    ["wait = 5", { wait: "5" }],
    ['wait="5"', { wait: "5" }],
    ["wait=5, wait=6", { wait: "5" }],
    ["wait, wait=6", { wait: "" }],
    ['foo="a, wait=5"', { foo: "a, wait=5" }],
    ['foo="a; wait=5", bar', { foo: "a; wait=5", bar: "" }],
    ["foo; wait=5", { foo: "" }],
    ['foo="a\\", wait=5", bar=1', { foo: 'a", wait=5', bar: "1" }],
    ['foo="not closed, wait=5', {}],
    ["wait=5 6, foo", { foo: "" }],
    ["wait=, foo", { foo: "" }],
    ["wait=5;;foo ; bar = 1 ;", { wait: "5" }],
    ["wait=5; not a parameter", {}],
    [",, wait=5 ,", { wait: "5" }],
    ["", {}],
  ])("%j is read by the grammar", (header, preferences) => {
    expect(read(header)).toEqual(preferences);
  });

  const token = fc.string({
    unit: fc.constantFrom(..."abcwaitWAIT0123456789!#$%&'*+.^_`|~-"),
    minLength: 1,
    maxLength: 6,
  });
  const space = fc.constantFrom("", " ", "\t ", "  ");
  const quoted = fc
    .string({ unit: fc.constantFrom(...'ab,;= wait5"\\') })
    .map((text) => ({ text, written: `"${text.replaceAll(/["\\]/g, "\\$&")}"` }));
  const word = fc.oneof(
    token.map((text) => ({ text, written: text })),
    quoted,
  );
  const named = fc
    .tuple(token, fc.option(word, { nil: undefined }), space, space)
    .map(([name, value, before, after]) => ({
      name,
      value: value?.text ?? "",
      written: value === undefined ? name : `${name}${before}=${after}${value.written}`,
    }));
  const preference = fc
    .tuple(named, fc.array(fc.tuple(space, space, fc.option(named, { nil: undefined })), { maxLength: 3 }))
    .map(([{ name, value, written }, parameters]) => ({
      name,
      value,
      written: [
        written,
        ...parameters.map(([before, after, each]) => `${before};${after}${each?.written ?? ""}`),
      ].join(""),
    }));

  it("gives back what was written, whatever quotes hold and parameters say", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(preference, space, space), { maxLength: 8 }), (written) => {
        const header = written
          .map(([{ written: text }, before, after]) => `${before}${text}${after}`)
          .join(",");
        const expected = new Map<string, string>();
        for (const [{ name, value }] of written)
          if (!expected.has(name.toLowerCase())) expected.set(name.toLowerCase(), value);
        expect(readPrefer(header)).toEqual(expected);
      }),
    );
  });

  it("has names that are tokens only, whatever is sent", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a=,; \t"\\wait5') }), (header) => {
        for (const name of readPrefer(header).keys()) expect(name).toMatch(/^[^\s",;=]+$/);
      }),
    );
  });

  it("reads a long header that repeats a piece", () => {
    for (const piece of [";  ", '"\\', "a=", 'a="', "a ; ", ", "])
      expect(readPrefer(`wait${piece.repeat(5_000)}\u0001`).size).toBeLessThanOrEqual(1);
  });
});
