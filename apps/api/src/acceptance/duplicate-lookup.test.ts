import { createSynapEvent, type SynapEvent } from "@synap/types";
import { pino } from "pino";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createDuplicateLookup } from "./duplicate-lookup.ts";

const logger = pino({ level: "silent" });
const event = () => createSynapEvent({ type: "note.creation.requested", data: { content: "x" } });

afterEach(() => vi.useRealTimers());

describe("the look-up of duplicates", () => {
  it("runs one query for many concurrent requests, and answers each", async () => {
    const questions: number[] = [];
    const known = event();
    const lookup = createDuplicateLookup(async (events: readonly SynapEvent[]) => {
      questions.push(events.length);
      return events.map(({ id }) =>
        id === known.id ? { id, position: 7, hasSameContent: true } : undefined,
      );
    }, logger);
    const [, response] = await Promise.all([
      lookup([event(), event()]),
      lookup([event(), known]),
      ...Array.from({ length: 96 }, () => lookup([event()])),
    ]);
    expect(response).toEqual([undefined, { id: known.id, position: 7, hasSameContent: true }]);
    expect(questions).toEqual([100]);
  });

  it("finds nothing while the database fails, and pauses", async () => {
    let asked = 0;
    const lookup = createDuplicateLookup(() => {
      asked += 1;
      return Promise.reject(new Error("away"));
    }, logger);
    expect(await lookup([event()])).toEqual([]);
    expect(await lookup([event()])).toEqual([]);
    expect(asked).toBe(1);
  });

  it("does not wait for a database that takes too long", async () => {
    vi.useFakeTimers();
    const lookup = createDuplicateLookup(() => new Promise(() => {}), logger);
    const found = lookup([event()]);
    await vi.advanceTimersByTimeAsync(2_000);
    // The clock does not advance from here on, so it has timed out by now or never will.
    expect(await found).toEqual([]);
  });

  it("queries again after the pause, whatever the wall clock is set to", async () => {
    let asked = 0;
    let now = 0;
    const find = () => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error("away")) : Promise.resolve([]);
    };
    const lookup = createDuplicateLookup(find, logger, { now: () => now });
    await lookup([event()]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    await lookup([event()]);
    expect(asked).toBe(1);
    vi.setSystemTime(Date.now() - 7_200_000);
    now = 1_000;
    await lookup([event()]);
    expect(asked).toBe(2);
  });
});
