import { describe, expect, it } from "vitest";
import { type MachineClocks, QueueClock } from "./queue-clock.ts";

const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;
const NOW = Date.UTC(2026, 10, 26);

function machine() {
  const time = { wall: NOW, steady: 5_000, sinceBoot: 70_000 };
  const clocks: MachineClocks = {
    wall: () => time.wall,
    steady: () => time.steady,
    sinceBoot: () => time.sinceBoot,
  };
  return {
    clocks,
    pass: (ms: number) => {
      time.wall += ms;
      time.steady += ms;
      time.sinceBoot += ms;
    },
    sleep: (ms: number) => {
      time.wall += ms;
      time.sinceBoot += ms;
    },
    setWall: (by: number) => {
      time.wall += by;
    },
  };
}

describe("QueueClock", () => {
  it.each([-2 * WEEK, -3 * HOUR, 3 * HOUR, 2 * WEEK])(
    "counts elapsed time when the wall clock is set by %i ms",
    (by) => {
      const { clocks, pass, setWall } = machine();
      const clock = new QueueClock(0, clocks);
      pass(1_500);
      setWall(by);
      pass(1_500.7);
      expect(clock.now()).toBe(NOW + 3_000);
      expect(clock.aheadOfWall()).toBeCloseTo(-by, -1);
      expect(clock.atWall(clocks.wall() + HOUR)).toBeCloseTo(clock.now() + HOUR, -1);
    },
  );

  it("counts the time that the machine was asleep, a second after it woke up", () => {
    const { clocks, pass, sleep } = machine();
    const clock = new QueueClock(0, clocks);
    for (let naps = 1; naps <= 2; naps += 1) {
      pass(2_000);
      clock.now();
      sleep(8 * HOUR);
      pass(1_000);
      expect(clock.now()).toBe(NOW + naps * (8 * HOUR + 3_000));
    }
  });

  it("does not count a coarse step of the time since boot as sleep", () => {
    const { clocks, pass, sleep } = machine();
    const clock = new QueueClock(0, clocks);
    pass(2_000);
    sleep(990);
    pass(2_000);
    expect(clock.now()).toBe(NOW + 4_000);
  });

  it("starts at the last recorded time if the wall clock is behind it, and at the wall clock otherwise", () => {
    const { clocks } = machine();
    expect(new QueueClock(NOW + 3 * HOUR, clocks).now()).toBe(NOW + 3 * HOUR);
    expect(new QueueClock(NOW - WEEK, clocks).now()).toBe(NOW);
  });

  it("uses this machine's clocks by default", () => {
    const before = Date.now();
    const clock = new QueueClock(0);
    expect(clock.now()).toBeGreaterThanOrEqual(before);
    expect(Number.isInteger(clock.now())).toBe(true);
  });
});
