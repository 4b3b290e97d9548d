import { expect, it } from "vitest";
import { takeLines } from "./read-events.ts";

const limits = { maxEvents: 10 };

/** Lines without an end, and how many of them were looked at. */
function endless(line: string) {
  let looked = 0;
  function* lines() {
    for (;;) {
      looked += 1;
      yield line;
    }
  }
  return { lines: lines(), looked: () => looked };
}

it.each([
  ["lines that hold something", "1", 11],
  ["empty lines", "", 22],
  ["lines of nothing but spaces", " \r", 22],
])("looks at no more %s than a batch may have", (_, line, most) => {
  const { lines, looked } = endless(line);
  expect(() => takeLines(lines, limits)).toThrow(expect.objectContaining({ code: "batch-too-large" }));
  expect(looked()).toBe(most);
});

it("accepts the maximum number of events, each followed by an empty line", () => {
  const lines = Array.from({ length: 10 }, (_, index) => [String(index), ""]).flat();
  const taken = takeLines([...lines, ""], limits);
  expect(taken).toHaveLength(10);
  expect(taken.at(-1)).toEqual({ content: "9", number: 19 });
});

it("refuses a batch without an event", () => {
  expect(() => takeLines(["", " "], limits)).toThrow(expect.objectContaining({ code: "batch-invalid" }));
});
