import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkJson, examineJson } from "./check-json.ts";

const codes = (value: unknown, maxDepth?: number) => checkJson(value, { maxDepth }).map(({ code }) => code);

function nest(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = wrap(1);
  for (let level = 1; level < depth; level += 1) value = wrap(value);
  return value;
}

/** The same rules written recursively, for shallow values only. */
function faultsOf(value: unknown, depth: number, maxDepth: number): string[] {
  if (value === null || typeof value === "boolean") return [];
  if (typeof value === "string") return textFaults(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return ["non-finite-number"];
    return Number.isInteger(value) && Math.abs(value) > 2 ** 53 - 1 ? ["unsafe-integer"] : [];
  }
  if (Array.isArray(value)) {
    if (depth > maxDepth) return ["too-deep"];
    return value.flatMap((item) => faultsOf(item, depth + 1, maxDepth));
  }
  if (typeof value === "object") {
    if (depth > maxDepth) return ["too-deep"];
    return Object.entries(value).flatMap(([key, item]) => [
      ...(key === "__proto__" ? ["prototype-key"] : []),
      ...(key === "toJSON" ? ["to-json-key"] : []),
      ...textFaults(key),
      ...(item === undefined ? [] : faultsOf(item, depth + 1, maxDepth)),
    ]);
  }
  return ["not-json"];
}

function textFaults(text: string): string[] {
  if (text.includes("\0")) return ["nul-character"];
  const isHalf = [...text].some((character) => /^[\ud800-\udfff]$/.test(character));
  return isHalf ? ["lone-surrogate"] : [];
}

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
});
const key = fc.oneof(
  { weight: 5, arbitrary: fc.string() },
  anyText,
  fc.constantFrom("__proto__", "constructor", "toJSON"),
);
const leaf = fc.oneof(
  anyText,
  fc.double(),
  fc.integer(),
  fc.constantFrom(2 ** 53, -(2 ** 53), 2 ** 53 - 1, 1e300, Number.NaN, "\0", "\ud83d", "\ud83d\ude00"),
  fc.constantFrom(null, true, undefined, 1n, Symbol("s")),
);
const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie("anything"), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie("anything")), { maxLength: 4 }).map((entries) => {
      const made: object = {};
      for (const [name, value] of entries) {
        Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
      }
      return made;
    }),
  ),
}));

describe("checkJson", () => {
  it("accepts everything that JSON and PostgreSQL can hold", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const isStorable = faultsOf(value, 1, 32).length === 0;
        expect(checkJson(value).length === 0).toBe(isStorable);
      }),
    );
  });

  it("agrees with the rules written recursively, on shallow values of every kind", () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 6 }), (value, maxDepth) => {
        expect(codes(value, maxDepth)).toEqual(faultsOf(value, 1, maxDepth).slice(0, 100));
      }),
      { numRuns: 500 },
    );
  });

  it("reports the path", () => {
    const value = { list: [{ "odd name": "\0" }], count: Number.POSITIVE_INFINITY };
    expect(checkJson(value, { at: ["data"] })).toEqual([
      { path: 'data.list[0]["odd name"]', code: "nul-character", reason: expect.stringContaining("NUL") },
      { path: "data.count", code: "non-finite-number", reason: "is not a finite number" },
    ]);
  });

  it("allows nesting up to the limit and not one level deeper", () => {
    for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ inner })]) {
      expect(codes(nest(32, wrap))).toEqual([]);
      expect(codes(nest(33, wrap))).toEqual(["too-deep"]);
      expect(codes(nest(3, wrap), 2)).toEqual(["too-deep"]);
    }
  });

  it("walks an array a million levels deep, whatever the limit", () => {
    const deep = nest(1_000_000, (inner) => [inner]);
    expect(codes(deep)).toEqual(["too-deep"]);
    expect(checkJson(deep, { maxDepth: 1_000_000, maxValues: 2_000_000 })).toEqual([]);
  });

  it("counts the values and stops at the limit", () => {
    const value = { list: [1, 2, 3] };
    expect(checkJson(value, { maxValues: 5 })).toEqual([]);
    expect(checkJson(value, { maxValues: 4, at: ["data"] })).toEqual([
      { path: "data", code: "too-many-values", reason: "holds more than 4 values" },
    ]);
    expect(codes(Array.from({ length: 1_000_000 }, () => 0))).toEqual(["too-many-values"]);
  });

  it("counts exactly how many more digits numbers have when PostgreSQL writes them out", () => {
    const extra = (value: unknown) => examineJson(value).extraDigits;
    const small = fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1, max: 1 })
      .filter((value) => value !== 0);
    fc.assert(
      fc.property(small, (value) => {
        // No exponent, and every digit that the shortest form has.
        const [mantissa = "", exponent] = String(value).split("e-");
        const digits = mantissa.replace("-", "").replace(".", "");
        const full =
          exponent === undefined
            ? String(value)
            : `${value < 0 ? "-" : ""}0.${"0".repeat(Number(exponent) - 1)}${digits}`;
        expect(Number(full)).toBe(value);
        expect(extra({ n: [value] })).toBe(full.length - String(value).length);
      }),
    );
    expect(extra([5e-324, 5e-324])).toBe(2 * (326 - 6));
  });

  it("returns an upper bound on the bytes of any value's JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const bytes = Buffer.byteLength(JSON.stringify(value));
        expect(examineJson(value).maxBytes).toBeGreaterThanOrEqual(bytes);
      }),
    );
  });

  it("ends on a cycle", () => {
    const loop: { self?: unknown; other?: unknown } = {};
    loop.self = loop;
    loop.other = loop;
    expect(new Set(codes(loop))).toEqual(new Set(["too-deep"]));
  });

  it("refuses lone surrogates and accepts whole pairs, in values and in names", () => {
    expect(codes(["\ud83d\ude00", "\ud83d", "\ude00", { "\ud83d": 1 }])).toEqual([
      "lone-surrogate",
      "lone-surrogate",
      "lone-surrogate",
    ]);
  });

  it("refuses whole numbers that a double cannot represent exactly", () => {
    expect(codes([2 ** 53 - 1, -(2 ** 53 - 1), 0.1, 2 ** 53, -(2 ** 53), 1e21])).toEqual([
      "unsafe-integer",
      "unsafe-integer",
      "unsafe-integer",
    ]);
  });

  it("refuses a __proto__ field as JSON.parse creates it, and accepts similar names", () => {
    expect(codes(JSON.parse('{"a":{"__proto__":{"admin":true}}}'))).toEqual(["prototype-key"]);
    expect(codes({ constructor: 1, prototype: 2 })).toEqual([]);
  });

  it("refuses values that JSON would change", () => {
    const changed = [new Date(), new Map(), () => 1, Symbol("s"), 1n, undefined];
    expect(codes(changed)).toEqual(changed.map(() => "not-json"));
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
    expect(codes([1, , 2])).toEqual(["not-json"]);
    expect(codes({ left: undefined, out: 1 })).toEqual([]);
    expect(codes(Object.assign(Object.create(null), { fine: 1 }))).toEqual([]);
  });

  it("reports at most a hundred issues, with paths of bounded length", () => {
    expect(checkJson(Array.from({ length: 100_000 }, () => "\0"))).toHaveLength(100);
    const [issue] = checkJson({ ["x".repeat(1_000_000)]: "\0" });
    expect(issue?.path.length).toBeLessThan(100);
  });
});
