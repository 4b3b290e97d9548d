import { MAX_PAGE_BYTES } from "@synap/database";
import { describe, expect, it } from "vitest";
import { MIN_PAGES_BYTES, PageBudget, type PageRoom } from "./page-budget.ts";

const LONG_MS = 60_000;
const SHORT = 256 * 1024;

/** More rooms than any budget of these tests has. */
const MANY = 100;

/** Takes what there is without waiting, and leaves one request that waits. */
async function takeAll(budget: PageBudget): Promise<PageRoom[]> {
  const rooms: PageRoom[] = [];
  while (rooms.length < MANY) {
    const room = budget.reserve();
    if (budget.state().waiting > 0) {
      room.catch(() => {});
      return rooms;
    }
    rooms.push(await room);
  }
  throw new Error(`The budget has given ${MANY} rooms and no request waits.`);
}

describe("the budget of pages", () => {
  it("grants full pages, then short ones, and never more than its bytes", async () => {
    const budget = new PageBudget({ maxBytes: MIN_PAGES_BYTES, maxWaitMs: LONG_MS });
    const sizes = (await takeAll(budget)).map(({ maxBytes }) => maxBytes);
    expect(sizes).toEqual([MAX_PAGE_BYTES, MAX_PAGE_BYTES, ...Array.from({ length: 16 }, () => SHORT)]);
    expect(budget.state()).toEqual({ reservedBytes: MIN_PAGES_BYTES, maxBytes: MIN_PAGES_BYTES, waiting: 1 });
  });

  it("reserves bytes for short pages while full ones are in use, so that none waits", async () => {
    const budget = new PageBudget({ maxBytes: MIN_PAGES_BYTES, maxWaitMs: LONG_MS });
    for (let full = 0; full < 2; full += 1) expect((await budget.reserve()).maxBytes).toBe(MAX_PAGE_BYTES);
    for (let request = 0; request < 1_000; request += 1) {
      const room = await budget.reserve();
      expect(room.maxBytes).toBe(SHORT);
      room.release();
    }
  });

  it("gets back unneeded bytes at once, and the others when the page is sent", async () => {
    const budget = new PageBudget({ maxBytes: MIN_PAGES_BYTES, maxWaitMs: LONG_MS });
    const rooms = await takeAll(budget);
    for (const room of rooms) room.settle(1_000);
    // The one who waited has a full page now.
    expect(budget.state()).toMatchObject({
      reservedBytes: rooms.length * 1_000 + MAX_PAGE_BYTES,
      waiting: 0,
    });
    for (const room of rooms) {
      room.release();
      room.release();
      room.settle(5_000);
    }
    expect(budget.state().reservedBytes).toBe(MAX_PAGE_BYTES);
  });

  it("serves waiting requests in the order of arrival", async () => {
    const budget = new PageBudget({ maxBytes: MIN_PAGES_BYTES, maxWaitMs: LONG_MS });
    const rooms = await takeAll(budget);
    const order: number[] = [];
    const waiting = [1, 2, 3].map((number) => budget.reserve().then(() => order.push(number)));
    for (const room of rooms.slice(-4)) room.release();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  it("refuses a request that has waited for the maximum time", async () => {
    const budget = new PageBudget({ maxBytes: MIN_PAGES_BYTES, maxWaitMs: 10 });
    await takeAll(budget);
    await expect(budget.reserve()).rejects.toMatchObject({
      code: "too-many-pages",
      status: 503,
      headers: { "retry-after": "1" },
    });
    await expect.poll(() => budget.state().waiting).toBe(0);
  });
});
