import { expect, it } from "vitest";
import { counted } from "./counted.ts";

it.each([
  [0, "0 streams"],
  [1, "1 stream"],
  [2, "2 streams"],
  [1_234_567, "1,234,567 streams"],
])("counts %i in words", (value, words) => {
  expect(counted(value, "stream")).toBe(words);
});

it("agrees with a verb", () => {
  expect([1, 3].map((value) => counted(value, "event waits", "events wait"))).toEqual([
    "1 event waits",
    "3 events wait",
  ]);
});
