import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { ContractHarness } from "./contract-harness.ts";
import { until } from "./until.ts";

/** Which functions start, how many at once, and how often. */
export function describeFlow(on: ContractHarness): void {
  on.check("collects batches by key, until they are full or their time is up", async () => {
    const users = ["a", "a", "a", "a", "b"];
    const started = Date.now();
    await on.client.send(users.map((u, n) => ({ name: `${on.tag}/batch`, data: { u, n } })));
    await until("three batches ran", () => on.found("batch").length >= 3);
    const batches = on.found("batch");
    const sizes = batches.map(({ details, at }) => ({
      user: details["user"],
      size: (details["numbers"] as unknown[]).length,
      waited: at - started > 1_500,
    }));
    expect(sizes).toEqual(
      expect.arrayContaining([
        { user: "a", size: 3, waited: false },
        { user: "a", size: 1, waited: true },
        { user: "b", size: 1, waited: true },
      ]),
    );
    expect(batches.flatMap(({ details }) => details["numbers"]).sort()).toEqual([0, 1, 2, 3, 4]);
    for (const { details } of batches) expect(details["first"]).toBe((details["numbers"] as unknown[])[0]);
  });

  on.check("starts a function once per idempotency key; a missing key limits nothing", async () => {
    for (const [n, order] of ["x", "x", "y", undefined, undefined].entries())
      await on.send("once", { n, order });
    await until("four ran", () => on.found("once").length >= 4);
    await sleep(700);
    const orders = on.found("once").map(({ details }) => details["order"] ?? "none");
    expect(orders.sort()).toEqual(["none", "none", "x", "y"]);
  });

  on.check("keeps to a function's concurrency limit", async () => {
    await on.client.send([1, 2, 3, 4].map((n) => ({ name: `${on.tag}/one-by-one`, data: { n } })));
    const ran = await until("all ran", () => {
      const all = on.found("occupied", ({ group }) => group === "one");
      return all.length === 4 && all;
    });
    expect(ran.map(({ details }) => details["together"])).toEqual([1, 1, 1, 1]);
  });

  on.check("keeps to a concurrency limit per key, and lets other keys pass", async () => {
    const users = ["a", "a", "a", "b", "b"];
    await on.client.send(users.map((u) => ({ name: `${on.tag}/per-key`, data: { u } })));
    const ran = await until("all ran", () => {
      const all = on.found("occupied", ({ group }) => String(group).startsWith("user "));
      return all.length === 5 && all;
    });
    expect(ran.map(({ details }) => details["together"])).toEqual([1, 1, 1, 1, 1]);
    const place = (group: string, nth: number) =>
      ran.filter(({ details }) => details["group"] === group)[nth]?.at ?? 0;
    expect(place("user b", 0)).toBeLessThan(place("user a", 2));
  });

  on.check(
    "matches wildcards and expressions, and starts a function once though two triggers match",
    async () => {
      await on.send("wild.a.b");
      await on.send("wild");
      await on.send("choosy", { n: 3, kind: "good", always: true });
      await on.send("choosy", { n: 4, kind: "bad" });
      await on.send("choosy", { n: 5, kind: "good" });
      await until("three ran", () => on.found("wild").length + on.found("choosy").length >= 3);
      await sleep(700);
      expect(on.found("wild").map(({ details }) => details["name"])).toEqual([`${on.tag}/wild.a.b`]);
      expect(
        on
          .found("choosy")
          .map(({ details }) => details["n"])
          .sort(),
      ).toEqual([3, 5]);
    },
  );
}
