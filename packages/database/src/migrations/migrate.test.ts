import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { migrate, openDatabase } from "../index.ts";
import { pendingMigrations } from "../internal.ts";
import { readMigrationFiles, SQL_DIRECTORY } from "./migration-files.ts";

const namesOf = async (directory: string) => (await readMigrationFiles(directory)).map(({ name }) => name);

describe.each(testEngines())("migrate (%s)", (engine) => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await createTestDatabase(engine, "empty");
  });
  afterEach(() => test.drop());

  it("applies every file once, reports the edition, and does nothing the second time", async () => {
    const seen: string[] = [];
    const first = await migrate(test.database, { onApplied: (name) => seen.push(name) });
    expect(first.applied).toEqual(seen);
    expect(first.applied).toEqual(await namesOf(SQL_DIRECTORY));
    expect(["community", "apache"]).toContain(first.edition);
    expect(test.database.capabilities).toMatchObject({ applicationRole: true, edition: first.edition });

    expect((await migrate(test.database)).applied).toEqual([]);
    const rows = await test.database.query<{ release: string }>("SELECT release FROM synap.migrations");
    expect(rows).toHaveLength(first.applied.length);
  });

  it("can run several times concurrently: each file is applied by one of them", async () => {
    // On a server, through connections of their own, as several processes would.
    const others =
      engine === "server"
        ? await Promise.all([1, 2, 3].map(() => openDatabase(test.options)))
        : [test.database];
    const reports = await Promise.all([test.database, ...others].map((database) => migrate(database)));
    const applied = reports.flatMap((report) => report.applied);
    expect(new Set(applied).size).toBe(applied.length);
    expect(applied.length).toBeGreaterThanOrEqual(10);
    if (engine === "server") await Promise.all(others.map((database) => database.close()));
  });

  it("takes the chunk interval from its options", async () => {
    await migrate(test.database, { chunkInterval: "6 hours" });
    const [row] = await test.database.query<{ interval: string }>(
      "SELECT time_interval::text AS interval FROM timescaledb_information.dimensions WHERE hypertable_schema = 'synap'",
    );
    expect(row?.interval).toBe("06:00:00");
  });

  describe("with given files", () => {
    let directory: string;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), "synap-migrations-"));
      const tables = join(SQL_DIRECTORY, "tables");
      for (const name of await readdir(tables)) {
        if (name < "0003") await copyFile(join(tables, name), join(directory, name));
      }
    });
    afterEach(() => rm(directory, { recursive: true, force: true }));

    it("refuses a database that a newer release has migrated, and names that release", async () => {
      await writeFile(join(directory, "9000_from_the_future.sql"), "SELECT 1;");
      await migrate(test.database, { directory, release: "99.0.0" });
      await rm(join(directory, "9000_from_the_future.sql"));
      await expect(migrate(test.database, { directory })).rejects.toMatchObject({
        code: "SCHEMA_NEWER",
        release: "99.0.0",
        migration: "9000_from_the_future.sql",
      });
    });

    it("lists the pending files, and refuses a database of a newer release", async () => {
      const all = await namesOf(SQL_DIRECTORY);
      const pending = async () => (await pendingMigrations(test.database)).map(({ name }) => name);
      expect(await pending()).toEqual(all);
      await migrate(test.database, { directory });
      expect(await pending()).toEqual(all.filter((name) => name >= "0003"));
      await migrate(test.database);
      expect(await pendingMigrations(test.database)).toEqual([]);
      await expect(pendingMigrations(test.database, { directory })).rejects.toMatchObject({
        code: "SCHEMA_NEWER",
      });
    });

    it("refuses a file that was edited after it was applied", async () => {
      await writeFile(join(directory, "0003_mine.sql"), "SELECT 1;");
      await migrate(test.database, { directory });
      await writeFile(join(directory, "0003_mine.sql"), "SELECT 2;");
      await expect(migrate(test.database, { directory })).rejects.toMatchObject({
        code: "MIGRATION_CHANGED",
        migration: "0003_mine.sql",
      });
    });

    it("refuses a file numbered below an applied one, and names the number to use", async () => {
      await writeFile(join(directory, "0007_mine.sql"), "SELECT 1;");
      await migrate(test.database, { directory });
      await writeFile(join(directory, "0005_theirs.sql"), "SELECT 1;");
      const refused = {
        code: "MIGRATION_OUT_OF_ORDER",
        migration: "0005_theirs.sql",
        applied: "0007_mine.sql",
      };
      await expect(migrate(test.database, { directory })).rejects.toMatchObject(refused);
      await expect(migrate(test.database, { directory })).rejects.toThrow("0008 or higher");
    });

    it("rolls back a file that fails and keeps the ones before it", async () => {
      await writeFile(join(directory, "0003_broken.sql"), "CREATE TABLE synap.half (a int); SELECT 1 / 0;");
      await expect(migrate(test.database, { directory })).rejects.toMatchObject({
        code: "MIGRATION_FAILED",
        migration: "0003_broken.sql",
      });
      const [row] = await test.database.asOwner((tx) =>
        tx.query<{ half: string | null; events: string | null }>(
          "SELECT to_regclass('synap.half')::text AS half, to_regclass('synap.events')::text AS events",
        ),
      );
      expect(row).toEqual({ half: null, events: "synap.events" });
    });
  });
});
