import { seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvents } from "../../testing/test-events.ts";
import type { Transaction } from "../index.ts";
import { createEventStore, extendChain, purgeEvents } from "../internal.ts";
import { chunkDigests } from "./chunk-digests.ts";
import { verifyTables } from "./verify-tables.ts";

describeOnEveryEngine("verifying the tables of a restored store", (engine) => {
  let ready: Promise<void> | undefined;
  const prepare = () => {
    ready ??= (async () => {
      const { database } = engine;
      const store = createEventStore({ database, catalogue: seedCatalogue });
      const events = noteEvents(40, (index) => ({
        aggregateId: `note-${index % 4}`,
        ...(index % 2 === 0 && { idempotencyKey: `key-${index}` }),
      }));
      const [first, ...others] = events;
      if (first === undefined) throw new Error("There are no events.");
      await store.append(first);
      await store.appendBatch(others);
      await extendChain(database);
      await purgeEvents(database, {
        selection: { ids: [first.id] },
        reason: "a test",
        by: "user:ada",
      });
    })();
    return ready;
  };
  const after = async (statement: string) => {
    await prepare();
    let found: unknown;
    const tried = engine.database.asOwner(async (owner: Transaction) => {
      await owner.execute(statement);
      found = await verifyTables(owner);
      throw new Error("taken back");
    });
    await expect(tried).rejects.toThrow("taken back");
    return found;
  };

  it("finds nothing in a store that nobody has changed, also after a purge", async () => {
    expect(await after("SELECT")).toEqual([]);
  });

  it.each([
    ["stream-differs", "UPDATE synap.streams SET version = 9 WHERE aggregate_id = 'note-1'", 1],
    ["stream-differs", "DELETE FROM synap.streams WHERE aggregate_id = 'note-2'", 1],
    ["stream-differs", "UPDATE synap.streams SET first_timestamp = now() + interval '1 day'", 5],
    ["id-differs", 'DELETE FROM synap.event_ids WHERE "position" % 1024 < 3', 4],
    ["id-differs", "INSERT INTO synap.event_ids VALUES (gen_random_uuid(), now(), 5, 1)", 1],
    ["key-differs", "DELETE FROM synap.idempotency_keys WHERE key = 'key-2'", 1],
    ["key-differs", "UPDATE synap.idempotency_keys SET \"position\" = 1 WHERE key = 'key-4'", 1],
    ["append-differs", "UPDATE synap.appends SET count = count + 1", 3],
    ["checkpoint-ahead", "INSERT INTO synap.checkpoints VALUES (1000000000, now(), 'reader')", 1],
    ["checkpoint-ahead", "UPDATE synap.read_horizon SET number = 1000000000", 1],
    [
      "snapshot-ahead",
      "INSERT INTO synap.aggregate_snapshots VALUES (99, now(), gen_random_uuid(), 'note', 'note-1', '', '', '')",
      1,
    ],
    ["numbers-behind", "SELECT setval('synap.append_sequence', 1)", 1],
  ])("finds %s after %s", async (kind, statement, rows) => {
    await prepare();
    const [before] = await engine.database.query<{ last: number }>(
      "SELECT last_value AS last FROM synap.append_sequence",
    );
    const faults = await after(statement);
    await engine.database.asOwner((owner) =>
      owner.query(
        "SELECT setval('synap.append_sequence', greatest(last_value, $1)) FROM synap.append_sequence",
        [before?.last ?? 0],
      ),
    );
    expect(faults).toEqual([
      expect.objectContaining({
        kind,
        rows,
        message: expect.stringMatching(/\.$/),
        cure: expect.any(String),
      }),
    ]);
  });

  it("digests each chunk, so that two copies can be compared", async () => {
    await prepare();
    const [chunk, ...others] = await chunkDigests(engine.database);
    expect(others).toEqual([]);
    expect(chunk).toMatchObject({ events: 40, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const changed = engine.database.asOwner(async (owner) => {
      await owner.execute(
        `SET LOCAL synap.purge = 'on'; UPDATE ${chunk?.chunk} SET user_id = 'mallory' WHERE "position" % 1024 = 5`,
      );
      const [other] = await chunkDigests(owner);
      expect(other).toMatchObject({ events: 40, chunk: chunk?.chunk });
      expect(other?.digest).not.toBe(chunk?.digest);
      throw new Error("taken back");
    });
    await expect(changed).rejects.toThrow("taken back");
  });
});
