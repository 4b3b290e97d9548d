import { seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { BatchMaker } from "./batch-maker.ts";

const bodySchema = z.object({
  events: z.array(z.looseObject({ id: z.string(), aggregateType: z.string(), aggregateId: z.string() })),
});
const maker = new BatchMaker({ size: 50, streams: 10 });
const read = (batch: number) => bodySchema.parse(JSON.parse(maker.make(batch).toString("utf8"))).events;

describe("the batches of a load", () => {
  it("hold events that the catalogue takes, each with an id of its own that ends with its number", () => {
    const batches = [0, 1, 7, 8, 79, 80, 12_345];
    const events = batches.flatMap(read);
    for (const event of events) expect(seedCatalogue.safeParseSynapEvent(event)).toMatchObject({ ok: true });
    const numbers = events.map(({ id }) => Number.parseInt(id.slice(-12), 16));
    expect(numbers).toEqual(
      batches.flatMap((batch) => Array.from({ length: 50 }, (_, index) => batch * 50 + index)),
    );
  });

  it("go to ten streams each, of which those under way at the same time have none in common", () => {
    const streamsOf = (batch: number) =>
      new Set(read(batch).map(({ aggregateType, aggregateId }) => `${aggregateType}/${aggregateId}`));
    const common = (one: number, other: number) =>
      [...streamsOf(one)].filter((stream) => streamsOf(other).has(stream)).length;
    expect(streamsOf(0).size).toBe(10);
    expect(common(0, 1)).toBe(0);
    // The same producer's next batch goes on with them; after ten it has new ones.
    expect(common(0, 8)).toBe(10);
    expect(common(0, 80)).toBe(0);
  });
});
