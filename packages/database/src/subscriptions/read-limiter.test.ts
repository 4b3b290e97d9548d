import { describe, expect, it } from "vitest";
import type { ReadAllPage, ReadAllRequest } from "../reading/read-all.ts";
import { ReadLimiter } from "./read-limiter.ts";

/** Reads that the test ends. */
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
  it("run a few at a time, in the order of their requests", async () => {
    const { begun, read } = heldReads();
    const limiter = new ReadLimiter(2);
    const pages = [1, 2, 3, 4].map((after) => limiter.read({ limit: 1, after }, read));
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

  it("share no page with readers of other rows or with another condition", async () => {
    const { begun, read } = heldReads();
    const limiter = new ReadLimiter(1);
    const own = { limit: 1, after: 7 };
    const conditions = [
      { userId: "u" },
      { correlationId: "u" },
      { causationId: "u" },
      { createdBy: "u" },
      { source: "u" },
      { aggregateType: "u" },
      { stream: { aggregateType: "u", aggregateId: "u" } },
    ];
    const pages = [
      limiter.read(own, read),
      ...["ann", "bee", undefined].map((shown) => limiter.read(own, read, shown)),
      ...conditions.map((each) => limiter.read({ ...own, ...each }, read)),
    ];
    expect(new Set(pages).size).toBe(pages.length);
    for (let done = 0; done < pages.length; done += 1) {
      await expect.poll(() => begun.length).toBe(done + 1);
      begun[done]?.end();
    }
    await Promise.all(pages);
  });

  it("share a waiting read, but not a running one", async () => {
    const { begun, read } = heldReads();
    const limiter = new ReadLimiter(1);
    const first = limiter.read({ limit: 1, after: 7 }, read);
    const others = Array.from({ length: 300 }, () => limiter.read({ limit: 1, after: 7 }, read));
    const narrower = limiter.read({ limit: 1, after: 7, types: ["note.creation.requested"] }, read);
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
