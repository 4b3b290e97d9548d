import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idOfLine } from "./event-line.ts";
import { type Line, readLines } from "./read-lines.ts";

async function read(chunks: readonly Buffer[], maxBytes?: number) {
  async function* source() {
    yield* chunks;
  }
  const lines: Line[] = [];
  for await (const line of readLines(source(), { line: 0, offset: 0 }, maxBytes)) lines.push(line);
  return lines;
}

describe("reading lines", () => {
  it("returns the same lines however the bytes are split, and stops at any byte", async () => {
    const bytes = fc
      .array(fc.constantFrom("a", "é", "\n", "\r\n", ""), { maxLength: 40 })
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 7 }), async (text, size) => {
        const whole = Buffer.from(text);
        const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
          whole.subarray(index * size, (index + 1) * size),
        );
        const lines = await read(chunks);
        const expected = text.split("\n");
        if (expected.at(-1) === "") expected.pop();
        expect(lines.map((line) => line.bytes.toString())).toEqual(
          expected.map((line) => line.replace(/\r$/, "")),
        );
        expect(lines.at(-1)?.end ?? 0).toBe(whole.length);
      }),
    );
  });

  it("skips a line that is too long", async () => {
    const lines = await read([Buffer.from("short\n0123456789"), Buffer.from("0123456789\nnext")], 12);
    expect(lines.map(({ tooLong, bytes }) => [tooLong, bytes.toString()])).toEqual([
      [false, "short"],
      [true, ""],
      [false, "next"],
    ]);
  });
});

describe("the id of a line without one", () => {
  it("is a UUID derived from the file and the line", () => {
    expect(idOfLine("file", 1)).toBe(idOfLine("file", 1));
    expect(idOfLine("file", 1)).not.toBe(idOfLine("file", 2));
    expect(idOfLine("file", 1)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});
