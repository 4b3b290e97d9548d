import { setImmediate } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { DueJob } from "../queue/due-jobs.ts";
import { Backlog } from "./backlog.ts";

const job = (id: number): DueJob => ({
  id,
  runId: `run-${id}`,
  functionId: "f",
  stepId: "step",
  attempt: 0,
  eventId: "",
  eventName: "e",
  planSteps: false,
  requestVersion: -1,
  quiet: false,
  steps: [],
});
const jobs = (from: number, count: number) => Array.from({ length: count }, (_, index) => job(from + index));

/** Ends the calls one after the other at intervals of `ms`. @returns the time afterwards */
function work(backlog: Backlog, calls: readonly DueJob[], ms: number, from: number): number {
  let now = from;
  for (const call of calls) {
    now += ms;
    backlog.ended(call, now);
  }
  return now;
}

/** Until the test ends the clock moves only when the test moves it. */
function fakeTheClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
}

describe("the backlog", () => {
  it("estimates the delay of a call from the pace at which the last ones ended", () => {
    const backlog = new Backlog(1_000);
    backlog.add(jobs(0, 200), 0);
    const now = work(backlog, jobs(0, 100), 10, 0);
    expect(backlog.delay(now)).toBeGreaterThan(950);
    expect(backlog.delay(now)).toBeLessThan(1_050);
  });

  it("does not count idle time as slowness", () => {
    const backlog = new Backlog(1_000);
    backlog.add(jobs(0, 100), 0);
    work(backlog, jobs(0, 100), 10, 0);
    backlog.add(jobs(100, 10), 60_000);
    backlog.ended(job(100), 60_010);
    expect(backlog.delay(60_010)).toBeLessThan(100);
  });

  it("accepts everything while the functions are unavailable", () => {
    const backlog = new Backlog(1_000);
    backlog.add(jobs(0, 5_000), 0);
    const now = work(backlog, jobs(0, 100), 10, 0);
    expect(backlog.delay(now)).toBeGreaterThan(1_000);
    expect(backlog.delay(now + 10_001)).toBe(0);
  });

  it("does not count downtime of the functions as slowness", () => {
    const backlog = new Backlog(1_000);
    backlog.add(jobs(0, 110), 0);
    const now = work(backlog, jobs(0, 100), 10, 0);
    work(backlog, jobs(100, 1), 30_000, now);
    expect(backlog.delay(now + 30_000)).toBeLessThan(100);
  });

  it("makes a sender wait for capacity, up to a timeout", async () => {
    fakeTheClock();
    const backlog = new Backlog(50);
    backlog.add(jobs(0, 200));
    work(backlog, jobs(0, 100), 10, performance.now());
    const tooShort = backlog.waitForCapacity(10);
    await vi.advanceTimersByTimeAsync(10);
    expect(await tooShort).toBe(false);
    const waiting = backlog.waitForCapacity(5_000);
    work(backlog, jobs(100, 98), 1, performance.now());
    expect(await waiting).toBe(true);
  });

  it("admits senders in order of arrival, one for each call that ends, and all of them once the backlog is empty", async () => {
    fakeTheClock();
    const backlog = new Backlog(50);
    const began = performance.now() - 98 * 25;
    backlog.add(jobs(0, 103), began);
    let now = work(backlog, jobs(0, 98), 25, began);
    const admitted: number[] = [];
    const senders = [1, 2, 3, 4].map((sender) =>
      backlog.waitForCapacity(5_000).then(() => admitted.push(sender)),
    );
    const endOne = async (id: number) => {
      now += 25;
      backlog.ended(job(id), now);
      await setImmediate();
      return [...admitted];
    };
    // At nearly 25 ms a call, no more than two may wait.
    expect(await endOne(98)).toEqual([]);
    expect(await endOne(99)).toEqual([]);
    expect(await endOne(100)).toEqual([1]);
    expect(await endOne(101)).toEqual([1, 2]);
    expect(await endOne(102)).toEqual([1, 2, 3, 4]);
    await Promise.all(senders);
  });

  it("always has capacity without a limit", async () => {
    const backlog = new Backlog(Number.POSITIVE_INFINITY);
    backlog.add(jobs(0, 200), 0);
    work(backlog, jobs(0, 100), 1_000, 0);
    expect(await backlog.waitForCapacity(0)).toBe(true);
  });
});
