import { createEventCatalogue, defineEventType } from "@synap/types";
import { expect, it } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { createEventStore } from "../internal.ts";
import { syncEventTypes } from "../sql-api/sync-event-types.ts";
import { sampleEvents, storedTypeNames, storedVersions } from "./sample-events.ts";

const placed = defineEventType({
  name: "order.placed",
  description: "A customer placed an order.",
  version: 2,
  schema: z.strictObject({ cents: z.int() }),
  example: { cents: 1 },
  upcast: { 1: { schema: z.strictObject({ total: z.int() }), up: ({ total }) => ({ cents: total }) } },
});
const catalogue = createEventCatalogue([placed]);
const START = Date.UTC(2026, 0, 1);

describeOnEveryEngine("a sample of stored events", (engine) => {
  it("has the oldest, the newest and others of one version, each once, and is counted by version", async () => {
    const { database } = engine;
    const store = createEventStore({ database, catalogue });
    await syncEventTypes(database, catalogue);
    const events = Array.from({ length: 300 }, (_, index) =>
      catalogue.parseSynapEvent({
        ...catalogue.completeEvent({
          type: "order.placed",
          aggregateId: `o-${index}`,
          data: index < 200 ? { total: index } : { cents: index },
          timestamp: new Date(START + index * 60_000).toISOString(),
        }),
        schemaVersion: index < 200 ? 1 : 2,
      }),
    );
    await store.appendBatch(events, { timestamps: "backfill" });
    expect(await storedTypeNames(database)).toContain("order.placed");
    const versions = await storedVersions(database, "order.placed");
    expect(versions).toEqual([
      { type: "order.placed", schemaVersion: 1, events: 200, first: START, last: START + 199 * 60_000 },
      {
        type: "order.placed",
        schemaVersion: 2,
        events: 100,
        first: START + 200 * 60_000,
        last: START + 299 * 60_000,
      },
    ]);
    const [older] = versions;
    if (older === undefined) throw new TypeError("There is no version.");
    const moments = [0, 0.5, 0.999, 0.25, 0.75];
    let asked = 0;
    const sampled: number[] = [];
    for await (const { data } of sampleEvents(database, older, 60, () => moments[asked++ % 5] ?? 0))
      sampled.push(Number(data["total"]));
    expect(new Set(sampled).size).toBe(sampled.length);
    expect(sampled.slice(0, 60)).toEqual(Array.from({ length: 60 }, (_, index) => index));
    expect(sampled.slice(60, 120)).toEqual(Array.from({ length: 60 }, (_, index) => 199 - index));
    expect(sampled.slice(120)).toContain(100);
    expect(await storedVersions(database, "order.paid")).toEqual([]);
    await expect(sampleEvents(database, older, 1_001).next()).rejects.toThrow(RangeError);
  });
});
