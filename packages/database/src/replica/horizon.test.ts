import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createTestDatabase, serverUrl, type TestDatabase } from "../../testing/index.ts";
import { directly } from "../../testing/replica-url.ts";
import { LOSING_SCENARIOS, lostIn, randomWriters, type World } from "../../testing/watermark/scenarios.ts";
import { type Database, openDatabase } from "../index.ts";
import { createEventStore } from "../internal.ts";
import { advanceHorizon, seeHorizon } from "./horizon.ts";

/** A reader on a standby, which before each page waits for what the primary's horizon was at that moment. */
function openWorld(prepare: (test: TestDatabase) => Promise<void> = async () => {}): () => World {
  let test: TestDatabase;
  let standby: Database;
  let owner: Database;
  let world: World | undefined;
  beforeAll(async () => {
    test = await createTestDatabase("server");
    await prepare(test);
    owner = await openDatabase({ url: serverUrl(test), applicationRole: false });
    standby = await vi.waitFor(() => openDatabase({ url: directly.url(test) }), 60_000);
    const { database } = test;
    const onStandby = createEventStore({ database: standby, catalogue: seedCatalogue });
    world = {
      database,
      owner,
      store: {
        ...createEventStore({ database, catalogue: seedCatalogue }),
        async readAll(request) {
          const { number } = await advanceHorizon(database);
          await vi.waitFor(
            async () => expect((await seeHorizon(standby)).number).toBeGreaterThanOrEqual(number),
            {
              timeout: 60_000,
              interval: 1,
            },
          );
          return onStandby.readAll(request);
        },
      },
    };
  });
  afterAll(async () => {
    await standby?.close();
    await owner?.close();
    await test.drop();
  });
  return () => {
    if (world === undefined) throw new Error("Use it inside a test.");
    return world;
  };
}

describe.runIf(directly.isThere)("the horizon, on a standby", () => {
  const world = openWorld();

  it.each(LOSING_SCENARIOS)("loses no event for a reader when %s", async (_name, play) => {
    const { committed, read } = await play(world());
    expect(read).toEqual(committed);
  });

  it("keeps readers from missing or repeating events among writers that pause and roll back", async () => {
    const { committed, read } = await randomWriters(world(), 60);
    expect(read).toEqual(committed);
    expect(read.length).toBeGreaterThan(50);
  });

  it("moves only forwards, and is not written when nothing is new", async () => {
    const { database, owner } = world();
    const first = await advanceHorizon(database);
    const version = () => owner.query("SELECT xmin::text FROM synap.read_horizon");
    const before = await version();
    expect(await advanceHorizon(database)).toEqual(first);
    expect(await version()).toEqual(before);
    const move = database.query("UPDATE synap.read_horizon SET number = 0");
    await expect(move).rejects.toMatchObject({ code: "42501" });
  });
});

// Control: a horizon that is not behind the watermark loses events.
describe.runIf(directly.isThere)("with a horizon at the sequence's last value", () => {
  const world = openWorld(({ database }) =>
    database.asOwner(async (owner) => {
      await owner.execute(`
        CREATE OR REPLACE FUNCTION synap.advance_read_horizon() RETURNS TABLE (number bigint, history text)
        LANGUAGE sql VOLATILE SECURITY DEFINER AS $$
          UPDATE synap.read_horizon SET number = (SELECT last_value FROM synap.append_sequence)
          RETURNING number, history
        $$`);
    }),
  );

  it.each(LOSING_SCENARIOS)("a reader on a standby loses events when %s", async (_name, play) => {
    expect(lostIn(await play(world())).length).toBeGreaterThan(0);
  });
});
