import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seedCatalogue } from "@synap/types";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { logFingerprint } from "../../testing/log-fingerprint.ts";
import { noteEvents } from "../../testing/test-events.ts";
import { compressEvents } from "../compression/compress-events.ts";
import { migrate } from "../index.ts";
import { createEventStore } from "../internal.ts";
import { SQL_DIRECTORY } from "./migration-files.ts";

const DAY_MS = 86_400_000;

describe.each(testEngines())("a log of an earlier release (%s)", (engine) => {
  let test: TestDatabase;
  let earlier: string;
  beforeEach(async () => {
    test = await createTestDatabase(engine, "empty");
    earlier = await mkdtemp(join(tmpdir(), "synap-earlier-"));
    await cp(SQL_DIRECTORY, earlier, { recursive: true });
    const tables = join(earlier, "tables");
    for (const name of await readdir(tables)) if (name >= "0020") await rm(join(tables, name));
  });
  afterEach(async () => {
    await test.drop();
    await rm(earlier, { recursive: true, force: true });
  });

  it("is migrated with its compressed days, keeps every event, and takes further ones", async () => {
    const { database } = test;
    await migrate(database, { directory: earlier });
    expect(await actorIndexes()).toEqual(['(created_by, "position")']);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const events = noteEvents(40, (index) => ({
      timestamp: new Date(Date.now() - (index % 4) * 10 * DAY_MS).toISOString(),
      createdBy: index % 3 === 0 ? "system" : "user:ada",
      userId: "ada",
    }));
    await store.appendBatch(events, { timestamps: "backfill" });
    if (database.capabilities.edition === "community") {
      const compressed = await compressEvents(database, { before: new Date(Date.now() - 5 * DAY_MS) });
      expect(compressed).toHaveLength(3);
    }
    const before = await logFingerprint(database);

    const { applied } = await migrate(database);
    expect(applied[0]).toBe("0020_drop_actor_index.sql");
    expect(await actorIndexes()).toEqual([
      `(created_by, ((- "position"))) WHERE (created_by IS DISTINCT FROM ('user:'::text || user_id))`,
    ]);
    expect(await logFingerprint(database)).toEqual(before);
    expect(await store.appendBatch(events, { timestamps: "backfill" })).toEqual(
      events.map(() => expect.objectContaining({ status: "duplicate" })),
    );
    const [late] = await store.appendBatch(
      noteEvents(1, () => ({ timestamp: events[3]?.timestamp ?? "" })),
      {
        timestamps: "backfill",
      },
    );
    expect(late).toMatchObject({ status: "stored" });
  });

  /** The indexes of actors, of the hypertable and of its chunks: each definition once. */
  async function actorIndexes(): Promise<string[]> {
    const rows = await test.database.query<{ definition: string }>(`
      SELECT DISTINCT regexp_replace(pg_get_indexdef(indexrelid), '^.* USING btree ', '') AS definition
        FROM pg_index
       WHERE indexrelid::regclass::text LIKE '%events_actor'`);
    return rows.map(({ definition }) => definition);
  }
});
