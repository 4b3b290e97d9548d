import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { diagnoseJson, isExactNumber } from "./diagnose-json.ts";
import { parseJson, parseJsonBatch } from "./parse-json.ts";

const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const BATCH_LIMITS = { maxDepth: 3, maxValues: NO_LIMIT };

const codes = (text: string, maxDepth = 33) => {
  const reading = parseJson(text, { maxDepth, maxValues: NO_LIMIT });
  return reading.ok ? [] : reading.findings.map(({ code, path }) => `${code} ${path}`.trim());
};

/** Any JSON text, sometimes cut or with a character put into it. */
const almostJson = fc
  .tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom("", '"', "\\", ",", "{", "]", "0", "e", "\u0000", "nul", "\\u12", " "),
    fc.nat(3),
  )
  .map(([text, place, inserted, cut]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + inserted + text.slice(at + cut);
  });

function countValues(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, child) => sum + countValues(child), 1);
}

describe("parseJson", () => {
  it("returns the result of JSON.parse for every JSON text without a repeated name", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const reading = parseJson(text, { maxDepth: 1_000, maxValues: NO_LIMIT });
        if (reading.ok) expect(reading.value).toEqual(JSON.parse(text));
        else expect(reading.findings.map(({ code }) => code)).not.toContain("malformed-json");
      }),
    );
  });

  it("counts every value, and refuses a text with one value too many, however it is nested", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const count = countValues(JSON.parse(text));
        const limits = (maxValues: number) => ({ maxDepth: 1_000, maxValues });
        const reading = parseJson(text, limits(count));
        expect(reading.values).toBe(count);
        expect(reading.ok ? [] : reading.findings.map(({ code }) => code)).not.toContain("too-many-values");
        const codes = [{ code: "too-many-values" }];
        expect(parseJson(text, limits(count - 1))).toMatchObject({ ok: false, findings: codes });
        expect(parseJsonBatch(text, limits(count - 1))).toMatchObject({ ok: false, findings: codes });
      }),
    );
  });

  it("refuses exactly the texts that JSON.parse refuses", () => {
    fc.assert(
      fc.property(almostJson, (text) => {
        const isRefused = diagnoseJson(text, { maxDepth: 1_000 }).findings.some(
          ({ code }) => code === "malformed-json",
        );
        expect(isRefused).toBe(isRefusedByJavaScript(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it("reports where a text stops being JSON", () => {
    const reading = parseJson('{"a": 1,\n "b": nope}', { maxDepth: 33, maxValues: NO_LIMIT });
    expect(reading).toMatchObject({
      ok: false,
      findings: [
        {
          code: "malformed-json",
          position: 15,
          path: "",
          reason: "expected a value at position 15 (line 2, column 7)",
        },
      ],
    });
    expect(codes('{"a": [1, 2')).toEqual(["malformed-json"]);
    expect(codes("")).toEqual(["malformed-json"]);
  });

  it("counts lines by every kind of line break", () => {
    for (const [text, place] of [
      ["nope", "position 0 (line 1, column 1)"],
      ["\n", "position 1 (line 2, column 1)"],
      ["\n\n  nope", "position 4 (line 3, column 3)"],
      ["[1,\r\n nope]", "position 6 (line 2, column 2)"],
    ] as const) {
      expect(parseJson(text, { maxDepth: 1, maxValues: 9 }), text).toMatchObject({
        findings: [{ reason: expect.stringContaining(`at ${place}`) }],
      });
    }
  });

  it("does not split the text to count its lines", () => {
    const split = vi.spyOn(String.prototype, "split");
    parseJson(`${"\n".repeat(100)}nope`, { maxDepth: 1, maxValues: 9 });
    const separators = split.mock.calls.map(([separator]) => String(separator));
    split.mockRestore();
    expect(separators).not.toContain("\n");
  });

  it("allows exactly the depth that its error names, inside the outer containers", () => {
    for (const around of [0, 1, 3]) {
      const limits = { maxDepth: 4, around, maxValues: 99 };
      const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
      expect(parseJson(nested(4 + around), limits).ok).toBe(true);
      expect(parseJson(nested(5 + around), limits)).toMatchObject({
        findings: [{ code: "too-deep", reason: "is nested deeper than 4 levels" }],
      });
      expect(parseJsonBatch(`{"events":[${nested(4 + around)}]}`, limits)).toMatchObject({ ok: true });
      const refused = {
        ok: false,
        findings: [{ code: "too-deep", reason: "is nested deeper than 4 levels" }],
      };
      expect(parseJsonBatch(`{"events":[1.0e400,${nested(5 + around)}]}`, limits)).toMatchObject({
        items: [{ ok: false }, refused],
      });
    }
  });

  it("finds every repeated name, however it is escaped", () => {
    expect(codes('{"data":{"a":1,"\\u0061":2}}')).toEqual(["duplicate-field data.a"]);
    expect(codes('{"a":{"b":1},"c":{"b":1}}')).toEqual([]);
    expect(codes('[{"a":"x: {\\"a\\":1","a":2}]')).toEqual(["duplicate-field [0].a"]);
    expect(codes('{"__proto__":1,"__proto__":2}')).toEqual(["duplicate-field __proto__"]);
  });

  it("refuses nesting beyond the limit without building it", () => {
    expect(codes('{"a":[[1]]}', 3)).toEqual([]);
    expect(codes('{"a":[[[1]]]}', 3)).toEqual(["too-deep a[0][0]"]);
    expect(codes("[".repeat(1_000_000), 3)).toEqual(["too-deep [0][0][0]", "malformed-json"]);
  });

  it.each([
    ["0.1", true],
    ["0.10000000000000001", true],
    ["1e3", true],
    ["1.50", true],
    ["-0", true],
    ["1.7976931348623157e308", true],
    ["9007199254740992", true],
    ["9007199254740993", false],
    ["12345678901234567890", false],
    ["0.1234567890123456789", false],
    ["1e400", false],
    ["1e-400", false],
    ["1".padEnd(400, "0"), false],
  ])("keeps %s exactly: %s", (literal, isKept) => {
    expect(isExactNumber(literal)).toBe(isKept);
    expect(codes(`{"n":${literal}}`)).toEqual(isKept ? [] : ["inexact-number n"]);
  });

  it("keeps every double as JavaScript writes it", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(isExactNumber(String(value))).toBe(true);
        if (!Number.isInteger(value)) expect(isExactNumber(value.toPrecision(17))).toBe(true);
      }),
    );
  });
});

describe("parseJsonBatch", () => {
  it("refuses an item for a fault inside it, and reads the others", () => {
    const reading = parseJsonBatch(
      '{"events":[{"a":1},{"a":1,"a":2},{"n":1e400},{"b":[[[]]]},{"c":3}]}',
      BATCH_LIMITS,
    );
    expect(
      "items" in reading && reading.items.map((item) => (item.ok ? item.value : item.findings[0]?.code)),
    ).toEqual([{ a: 1 }, "duplicate-field", "inexact-number", "too-deep", { c: 3 }]);
  });

  it("refuses the whole text for a fault outside the items", () => {
    expect(parseJsonBatch('{"events":[{"a":1e400}],"events":[]}', BATCH_LIMITS)).toMatchObject({
      ok: false,
      findings: [{ code: "duplicate-field", path: "events" }],
    });
    expect(parseJsonBatch('[{"a":1e400},{"a":]', BATCH_LIMITS)).toMatchObject({ ok: false });
  });
});

function isRefusedByJavaScript(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}
