import { seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvents } from "../../testing/test-events.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { createEventStore } from "../internal.ts";
import { BEFORE_ALL, type PurgeSelection, selectPlaces } from "./purge-selection.ts";

describeOnEveryEngine("a selection of events to purge", (engine) => {
  const selections: readonly PurgeSelection[] = [
    { userId: "ada" },
    { expired: { type: "pump.measured", before: "2026-02-01T00:00:00.000Z" } },
  ];
  it.each(selections)(
    "is read in the order of an index, so that a step costs no more with a longer log: %j",
    async (selection) => {
      const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
      const days = noteEvents(3, (day) => ({
        userId: "ada",
        timestamp: `2026-01-0${day + 1}T00:00:00.000Z`,
      }));
      await store.appendBatch(days, { timestamps: "backfill" });
      const plan: string[] = [];
      await engine.database.asOwner(async (owner) => {
        await owner.execute(
          "SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off",
        );
        const explaining: SqlSession["query"] = async (sql, parameters) => {
          const lines = await owner.query<{ "QUERY PLAN": string }>(`EXPLAIN ${sql}`, parameters);
          plan.push(...lines.map((line) => line["QUERY PLAN"]));
          return [];
        };
        await selectPlaces({ ...owner, query: explaining }, selection, {
          after: BEFORE_ALL,
          upTo: 1_024,
          limit: 500,
        });
      });
      expect(plan[0]).toContain("Limit");
      expect(plan.join("\n")).not.toMatch(/\bSort\b/);
    },
  );
});
