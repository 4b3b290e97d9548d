import { describe, expect, it } from "vitest";
import { WakeSignal } from "./wake-signal.ts";

describe("WakeSignal", () => {
  it("loses no wake-up between reading the count and waiting", async () => {
    const signal = new WakeSignal();
    const seen = signal.count;
    signal.wake();
    await signal.waitAfter(seen);
  });

  it("wakes every waiter", async () => {
    const signal = new WakeSignal();
    const waiters = [signal.waitAfter(0), signal.waitAfter(0, 60_000)];
    signal.wake();
    await Promise.all(waiters);
  });

  it("resolves after the timeout", async () => {
    const signal = new WakeSignal();
    const before = performance.now();
    await signal.waitAfter(0, 20);
    expect(performance.now() - before).toBeGreaterThanOrEqual(19);
  });
});
