import { expect, it } from "vitest";
import { pauseAfter } from "./backoff.ts";

it("doubles pauses up to the longest, with jitter of up to a half", () => {
  const backoff = { firstMs: 100, maxMs: 1_000 };
  for (const [failures, longest] of [
    [1, 100],
    [2, 200],
    [4, 800],
    [5, 1_000],
    [5_000, 1_000],
  ] as const) {
    const pause = pauseAfter(failures, backoff);
    expect(pause).toBeGreaterThanOrEqual(longest / 2);
    expect(pause).toBeLessThanOrEqual(longest);
  }
  expect(pauseAfter(1, backoff, 5_000)).toBe(5_000);
});
