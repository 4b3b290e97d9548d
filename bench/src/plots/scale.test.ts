import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linearScale, logScale, type Scale, tightScale } from "./scale.ts";

describe("an axis", () => {
  it("has round ticks", () => {
    expect(linearScale([21_700, 33_000]).ticks).toEqual([0, 10_000, 20_000, 30_000, 40_000]);
    expect(linearScale([0.83, 0.91]).ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearScale([-3, 12]).ticks).toEqual([-5, 0, 5, 10, 15]);
    expect(tightScale([0, 60]).ticks).toEqual([0, 10, 20, 30, 40, 50, 60]);
    expect(tightScale([1, 99]).ticks).toEqual([0, 20, 40, 60, 80, 100]);
    expect(tightScale([15, 99]).ticks).toEqual([20, 40, 60, 80, 100]);
    expect(logScale([100_000, 10_000_000]).ticks).toEqual([100_000, 1_000_000, 10_000_000]);
    expect(logScale([0.4, 3]).ticks).toEqual([0.2, 0.5, 1, 2, 5]);
  });

  it("holds up without values, and with one", () => {
    expect(linearScale([]).ticks).toContain(0);
    expect(linearScale([0]).ticks).toContain(0);
    expect(tightScale([7]).at(7)).toBeGreaterThan(0);
    expect(logScale([]).ticks).toEqual([1, 2, 5, 10]);
    expect(logScale([10]).ticks.length).toBeGreaterThan(1);
  });

  it("comes to an end with values next to nothing", () => {
    const next = [5e-324, 1e-300];
    expect(linearScale(next).ticks).toContain(0);
    expect(tightScale(next).ticks).toContain(0);
    expect(logScale(next).ticks).toEqual([1, 2, 5, 10]);
    expect(logScale([...next, 20, 30]).ticks).toEqual([20, 50]);
  });

  it("gives each decade of a logarithmic axis the same width, and nothing the start", () => {
    const scale = logScale([1, 1_000]);
    expect([0, -5, 1, 10, 100, 1_000].map(scale.at)).toEqual([0, 0, 0, 1 / 3, 2 / 3, 1]);
  });

  const value = fc
    .tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: -6, max: 8 }))
    .map(([digits, power]) => digits * 10 ** power);
  const values = fc.array(value, { minLength: 1, maxLength: 12 });
  const kinds: readonly (readonly [string, (values: readonly number[]) => Scale])[] = [
    ["linear", (drawn) => linearScale(drawn)],
    ["tight", (drawn) => tightScale(drawn)],
    ["logarithmic", logScale],
  ];

  for (const [kind, makeScale] of kinds) {
    it(`of any values is ordered, ${kind}`, () => {
      fc.assert(
        fc.property(values, (drawn) => {
          const scale = makeScale(drawn);
          const ascending = [...drawn].sort((a, b) => a - b).map(scale.at);
          expect(ascending).toEqual([...ascending].sort((a, b) => a - b));
          expect(ascending.every((share) => share >= 0 && share <= 1)).toBe(true);
        }),
      );
    });

    it(`of any values has 2 to 21 ticks on it, ascending, ${kind}`, () => {
      fc.assert(
        fc.property(values, (drawn) => {
          const { ticks, at } = makeScale(drawn);
          expect(ticks.length).toBeGreaterThanOrEqual(2);
          expect(ticks.length).toBeLessThanOrEqual(21);
          expect(new Set(ticks).size).toBe(ticks.length);
          expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
          const shares = ticks.map(at);
          expect(new Set(shares.map((share) => share.toFixed(6))).size).toBe(ticks.length);
        }),
      );
    });
  }
});
