import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createQuota } from "./quota.ts";

const WINDOW = 60_000;

function quotaOf(quota: number, maxKeys = 100) {
  const clock = { now: 0 };
  return { clock, quota: createQuota({ quota, windowMs: WINDOW, maxKeys, now: () => clock.now }) };
}

describe("a quota", () => {
  it("gives so much at once, then nothing, and refills steadily", () => {
    const { clock, quota } = quotaOf(60);
    expect(quota.state("a")).toEqual({ remaining: 60, fullInMs: 0, retryInMs: 0 });
    for (let taken = 0; taken < 60; taken += 1) expect(quota.take("a", 1)).toBe(true);
    expect(quota.take("a", 1)).toBe(false);
    expect(quota.state("a")).toEqual({ remaining: 0, fullInMs: WINDOW, retryInMs: 1_000 });
    expect(quota.take("b", 1)).toBe(true);
    clock.now += 1_000;
    expect([quota.take("a", 1), quota.take("a", 1)]).toEqual([true, false]);
    clock.now += WINDOW;
    expect(quota.state("a").remaining).toBe(60);
  });

  it("gives more than is left once, and then nothing until time has paid for it", () => {
    const { clock, quota } = quotaOf(60);
    expect(quota.take("a", 150)).toBe(true);
    expect(quota.state("a")).toEqual({ remaining: 0, fullInMs: 150_000, retryInMs: 91_000 });
    clock.now += 90_000;
    expect(quota.take("a", 1)).toBe(false);
    clock.now += 1_000;
    expect(quota.take("a", 1)).toBe(true);
  });

  it("never gives more than the quota and its refill, and always gives what it says is left", () => {
    const step = fc.record({
      pause: fc.integer({ min: 0, max: 20_000 }),
      amount: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
        const { clock, quota } = quotaOf(size);
        let given = 0;
        for (const { pause, amount } of steps) {
          clock.now += pause;
          const { remaining, retryInMs } = quota.state("a");
          const isGiven = quota.take("a", amount);
          expect(isGiven).toBe(remaining > 0);
          expect(retryInMs > 0.001).toBe(!isGiven);
          if (!isGiven) continue;
          expect(given).toBeLessThan(size + (clock.now / WINDOW) * size);
          given += amount;
        }
      }),
    );
  });

  it("keeps a bounded number of a million keys, and those that are in use among them", () => {
    const { quota } = quotaOf(10, 1_000);
    for (let taken = 0; taken < 10; taken += 1) quota.take("busy", 1);
    for (let key = 0; key < 1_000_000; key += 1) {
      quota.take(`key ${key}`, 1);
      if (key % 400 === 0) expect(quota.take("busy", 1)).toBe(false);
    }
    expect(quota.state("key 999999").remaining).toBe(9);
    expect(quota.state("key 0").remaining).toBe(10);
  });
});
