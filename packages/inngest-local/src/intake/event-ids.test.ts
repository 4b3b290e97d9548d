import { isValid } from "ulid";
import { describe, expect, it } from "vitest";
import { internalIds } from "./event-ids.ts";

describe("internal event ids", () => {
  it("derive from the seed and the index, so that a repeated request gives the same ids", () => {
    const seed = "1795245027142,6kkjlNVPWzztzQ==";
    const first = internalIds(seed);
    const again = internalIds(seed);
    expect([0, 1, 2].map(first)).toEqual([0, 1, 2].map(again));
    expect(new Set([0, 1, 2].map(first)).size).toBe(3);
    expect(isValid(first(0))).toBe(true);
    // The server answered 01M7…VEE and …VEF to this seed.
    expect(first(0)).toBe("01M7YF2BT6X94J756N9XDKSVEE");
  });

  it("are random without a usable seed", () => {
    for (const seed of [undefined, "", "x,y", "1795245027142,AAAA"]) {
      expect(isValid(internalIds(seed)(0))).toBe(true);
      expect(internalIds(seed)(0)).not.toBe(internalIds(seed)(0));
    }
  });
});
