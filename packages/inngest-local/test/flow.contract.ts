import { expect } from "vitest";
import type { ContractHarness } from "./contract-harness.ts";
import { until } from "./until.ts";

/** Triggers, concurrency and deduplication of functions. */
export function describeFlow(on: ContractHarness): void {
  on.check("respects a function's concurrency limit", async () => {
    await on.client.send([1, 2, 3, 4].map((n) => ({ name: `${on.tag}/one-by-one`, data: { n } })));
    const ran = await until("all ran", () => {
      const all = on.found("occupied", ({ group }) => group === "one");
      return all.length === 4 && all;
    });
    expect(ran.map(({ details }) => details["together"])).toEqual([1, 1, 1, 1]);
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
      await on.runOneMore("wild", {}, "wild.last");
      await on.runOneMore("choosy", { n: 6, kind: "good" });
      const names = on.found("wild").map(({ details }) => details["name"]);
      expect(names.sort()).toEqual([`${on.tag}/wild.a.b`, `${on.tag}/wild.last`]);
      expect(
        on
          .found("choosy")
          .map(({ details }) => details["n"])
          .sort(),
      ).toEqual([3, 5, 6]);
    },
  );
}
