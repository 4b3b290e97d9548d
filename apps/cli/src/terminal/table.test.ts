import { describe, expect, it } from "vitest";
import { cut, formatFields, formatTable, formatTables, jsonText, plain } from "./table.ts";

describe("a table", () => {
  it("is aligned in columns, numbers to the right", () => {
    const table = formatTable(
      [{ title: "NAME" }, { title: "LAG", align: "right" }],
      [
        ["a", "1,000"],
        ["bcd", "7"],
      ],
    );
    expect(table).toBe(["NAME    LAG", "a     1,000", "bcd       7"].join("\n"));
  });

  it("is never wider than a terminal: the widest column is cut", () => {
    const rows = [["short", "x".repeat(200), "y".repeat(60)]];
    const lines = formatTable([{ title: "A" }, { title: "B" }, { title: "C" }], rows).split("\n");
    expect(lines.map((line) => line.length)).toEqual([expect.any(Number), 100]);
    expect(lines[1]).toMatch(/^short {2}x+… {2}y+…$/);
  });
});

describe("many rows", () => {
  const columns = [{ title: "N" }];
  async function* rowsUpTo(count: number, made: { rows: number }) {
    for (; made.rows < count; made.rows += 1) yield [String(made.rows)];
  }

  it("are tables of a thousand, each written when it is full and not later", async () => {
    const made = { rows: 0 };
    const lines: number[] = [];
    for await (const table of formatTables(columns, rowsUpTo(200_500, made))) {
      expect(made.rows).toBeLessThanOrEqual(1_000 * (lines.length + 1));
      lines.push(table.split("\n").length);
    }
    expect(lines).toEqual([...Array(200).fill(1_001), 501]);
  });

  it("are one table where they are few or none, and fit into one of any size", async () => {
    const tables: string[] = [];
    for await (const table of formatTables(columns, rowsUpTo(0, { rows: 0 }))) tables.push(table);
    for await (const table of formatTables(columns, rowsUpTo(1_000, { rows: 0 }))) tables.push(table);
    expect(tables.map((table) => table.split("\n").length)).toEqual([1, 1_001]);
    const rows = Array.from({ length: 300_000 }, () => ["x"]);
    expect(formatTable(columns, rows).length).toBe(600_001);
  });
});

describe("untrusted text", () => {
  it("can't move the cursor, change colours, turn around or break the line", () => {
    expect(plain("a\u001b[31m\n\tb\u009b\u202ec")).toBe("a\ufffd[31m b\ufffd\ufffdc");
    expect(jsonText({ a: "\u001b\u009b\u2028" })).toBe('{"a":"\\u001b\\u009b\\u2028"}');
  });

  it("is cut by characters, not in the middle of one", () => {
    expect(cut("😀😀😀", 3)).toBe("😀😀😀");
    expect(cut("😀😀😀", 2)).toBe("😀…");
  });
});

describe("fields", () => {
  it("omit missing values and keep the lines of a value together", () => {
    expect(
      formatFields([
        ["a", "1"],
        ["bc", undefined],
        ["def", "2\n3"],
      ]),
    ).toBe("a    1\ndef  2\n     3");
  });
});
