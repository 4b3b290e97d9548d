import { describeOnEveryEngine } from "@synap/database/testing";
import { createEventCatalogue, defineEventType } from "@synap/types";
import { text } from "drizzle-orm/pg-core";
import { expect, it } from "vitest";
import { z } from "zod";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { defineProjection } from "../projections/projection.ts";
import { keyText, readTable } from "../projections/read-table.ts";

const first = defineEventType({
  name: "parcel.sent",
  description: "A parcel was sent.",
  schema: z.strictObject({ to: z.string() }),
  example: { to: "Bern" },
});
const second = defineEventType({
  name: "parcel.sent",
  description: "A parcel was sent.",
  version: 2,
  schema: z.strictObject({ city: z.string() }),
  example: { city: "Bern" },
  upcast: { 1: { schema: z.strictObject({ to: z.string() }), up: ({ to }) => ({ city: to }) } },
});

const parcels = readTable("parcels", { id: keyText("id").primaryKey(), city: text("city").notNull() });
const about = {
  name: "parcels",
  description: "Where parcels go.",
  mode: "async",
  version: 1,
  table: parcels,
} as const;
const old = defineProjection({
  ...about,
  events: [first],
  evolve: (_row, { aggregateId, data }) => ({ id: aggregateId, city: data.to }),
});
const changed = defineProjection({
  ...about,
  events: [second],
  evolve: (_row, { aggregateId, data }) => ({ id: aggregateId, city: data.city }),
});

describeOnEveryEngine("a build whose event types get a newer version", (engine) => {
  it("names them until it is built anew", async () => {
    const { database } = engine;
    const before = new EventDispatcher({
      database,
      catalogue: createEventCatalogue([first]),
      projections: [old],
    }).projections;
    const { projections } = new EventDispatcher({
      database,
      catalogue: createEventCatalogue([second]),
      projections: [changed],
    });
    const outdated = async () =>
      (await projections.status()).flatMap(({ builds }) => builds.map((build) => build.outdatedTypes));
    await before.prepare();
    expect((await before.status())[0]?.builds[0]).not.toHaveProperty("outdatedTypes");
    await projections.prepare();
    expect(await outdated()).toEqual([["parcel.sent@1"]]);
    expect(await projections.rebuild("parcels", { by: "a test" })).not.toHaveProperty("outdatedTypes");
    expect(await outdated()).toEqual([["parcel.sent@1"], undefined]);
    await projections.cutover("parcels", { by: "a test" });
    await projections.drop("parcels", "previous");
    expect(await outdated()).toEqual([undefined]);
    // The rows are not outdated for the release whose code has made them.
    expect((await before.status())[0]?.builds[0]).not.toHaveProperty("outdatedTypes");
  });

  it("says nothing of a build of an earlier release of Synap", async () => {
    await engine.database.asOwner((owner) =>
      owner.query("UPDATE synap.projection_builds SET event_versions = NULL"),
    );
    const { projections } = new EventDispatcher({
      database: engine.database,
      catalogue: createEventCatalogue([second]),
      projections: [changed],
    });
    expect((await projections.status())[0]?.builds[0]).not.toHaveProperty("outdatedTypes");
  });
});
