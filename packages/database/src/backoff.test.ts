import { describe, expect, it } from "vitest";
import { backoffDelay } from "./backoff.ts";

describe("backoffDelay", () => {
  it("doubles from the first wait up to the cap", () => {
    const backoff = { firstMs: 100, maxMs: 1_000 };
    expect([1, 2, 3, 4, 5, 6].map((failures) => backoffDelay(failures, backoff))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it("stays at the cap however long the outage lasts", () => {
    expect(backoffDelay(5_000)).toBe(30_000);
  });
});
