import { describe, expect, it } from "vitest";
import type { ReadAllPage, ReadAllRequest } from "../reading/read-all.ts";
import { ReadTurns } from "./read-turns.ts";

/** Reads that end when the test says so. */
function heldReads() {
  const begun: { readonly after: number; end(): void; fail(): void }[] = [];
  const read = (request: ReadAllRequest) =>
    new Promise<ReadAllPage>((resolve, reject) => {
      const { after = 0 } = request;
      const page = { events: [], position: after, caughtUp: true, watermark: after };
      begun.push({ after, end: () => resolve(page), fail: () => reject(new Error("away")) });
    });
  return { begun, read };
}

describe("the reads of subscriptions", () => {
  it("run a few at a time, in the order in which they were asked for", async () => {
    const { begun, read } = heldReads();
    const turns = new ReadTurns(2);
    const pages = [1, 2, 3, 4].map((after) => turns.read({ limit: 1, after }, read));
    await Promise.resolve();
    expect(begun.map(({ after }) => after)).toEqual([1, 2]);
    begun[1]?.end();
    await pages[1];
    await expect.poll(() => begun.map(({ after }) => after)).toEqual([1, 2, 3]);
    begun[0]?.fail();
    await expect(pages[0]).rejects.toThrow("away");
    await expect.poll(() => begun.map(({ after }) => after)).toEqual([1, 2, 3, 4]);
    for (const each of begun) each.end();
    expect((await Promise.all(pages.slice(1))).map(({ position }) => position)).toEqual([2, 3, 4]);
  });

  it("share a read that waits, and none that has begun", async () => {
    const { begun, read } = heldReads();
    const turns = new ReadTurns(1);
    const first = turns.read({ limit: 1, after: 7 }, read);
    const others = Array.from({ length: 300 }, () => turns.read({ limit: 1, after: 7 }, read));
    const narrower = turns.read({ limit: 1, after: 7, types: ["note.creation.requested"] }, read);
    await Promise.resolve();
    expect(begun.length).toBe(1);
    begun[0]?.end();
    await first;
    await expect.poll(() => begun.length).toBe(2);
    begun[1]?.end();
    expect(new Set(await Promise.all(others)).size).toBe(1);
    await expect.poll(() => begun.length).toBe(3);
    begun[2]?.end();
    await narrower;
  });
});
