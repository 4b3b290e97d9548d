import { describe, expect, it } from "vitest";
import { SendPace } from "./send-pace.ts";

/** Sends envelopes one after the other, each taking so long. @returns the time afterwards */
function send(pace: SendPace, envelopes: number, ms: number, from = 0): number {
  let now = from;
  for (let sent = 0; sent < envelopes; sent += 1) {
    const end = pace.begin(now);
    now += ms;
    end(now);
  }
  return now;
}

describe("SendPace", () => {
  it("averages the last envelopes, divided by the number of concurrent ones", () => {
    const pace = new SendPace(4);
    const now = send(pace, 200, 40);
    expect(pace.waitOf(10, now)).toBeCloseTo(100, 0);
    const later = send(pace, 200, 400, now);
    expect(pace.waitOf(10, later)).toBeCloseTo(1_000, 0);
  });

  it("estimates no wait for an empty queue, however long an envelope takes", () => {
    const pace = new SendPace(4);
    const now = send(pace, 10, 5_000);
    expect(pace.waitOf(0, now)).toBe(0);
  });

  it("ignores one stuck envelope while the others are sent", () => {
    const pace = new SendPace(2);
    const now = send(pace, 100, 5);
    pace.begin(now);
    const later = send(pace, 100, 5, now + 2_000);
    pace.begin(later);
    expect(pace.waitOf(10, later + 1)).toBeCloseTo(25, 0);
  });

  it("estimates a longer wait while a fast broker has stopped answering", () => {
    const pace = new SendPace(1);
    const now = send(pace, 100, 1);
    const end = pace.begin(now);
    expect(pace.waitOf(1, now + 10)).toBeCloseTo(10);
    expect(pace.waitOf(1, now + 2_000)).toBeCloseTo(2_000);
    end(now + 2_000);
    expect(pace.waitOf(1, now + 2_000)).toBeLessThan(150);
  });
});
