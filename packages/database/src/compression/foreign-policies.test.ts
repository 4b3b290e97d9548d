import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { compressEvents } from "./compress-events.ts";
import { foreignPolicies } from "./foreign-policies.ts";

describeOnEveryEngine("policies of TimescaleDB", (engine) => {
  it("for the log are found, in the edition that has them", async () => {
    const find = () => engine.database.asOwner(foreignPolicies);
    expect(await find()).toEqual([]);
    if (engine.database.capabilities.edition !== "community") return;
    await compressEvents(engine.database, { before: new Date(0) });
    await engine.database.asOwner(async (owner) => {
      await owner.query("SELECT public.add_compression_policy('synap.events', interval '8 days')");
      await owner.query("SELECT public.add_retention_policy('synap.events', interval '90 days')");
    });
    expect(await find()).toEqual([
      { job: expect.any(Number), kind: "compresses" },
      { job: expect.any(Number), kind: "drops" },
    ]);
    await engine.database.asOwner(async (owner) => {
      await owner.query("SELECT public.remove_compression_policy('synap.events')");
      await owner.query("SELECT public.remove_retention_policy('synap.events')");
    });
    expect(await find()).toEqual([]);
  });
});
