import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { type Database, openDatabase } from "../index.ts";
import { changesSession } from "./session-settings.ts";

describe.each(testEngines())("the settings of a session (%s)", (engine) => {
  let test: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    test = await createTestDatabase(engine);
    // One connection, so that any leftovers of a transaction affect the next statement.
    database =
      "url" in test.options ? await openDatabase({ ...test.options, maxConnections: 1 }) : test.database;
  });
  afterAll(async () => {
    if (database !== test.database) await database.close();
    await test.drop();
  });

  const settings = () =>
    database.query(
      `SELECT current_user::text AS "user", session_user::text AS login,
              (SELECT json_object_agg(name, setting)::text FROM pg_settings WHERE context IN ('user', 'superuser')) AS all`,
    );

  it.each([
    "SET DateStyle = 'SQL, DMY'",
    "set session TimeZone = 'Pacific/Kiritimati'",
    "SELECT 1; SET statement_timeout = '2min'",
    "SET ROLE none",
    "RESET ROLE",
    "RESET ALL",
    "SELECT set_config('IntervalStyle', 'iso_8601', false)",
  ])("are not changed by a transaction that runs %s", async (statement) => {
    const before = await settings();
    await database.transaction((transaction) => transaction.execute(statement));
    expect(await settings()).toEqual(before);
  });

  it("are not changed through drizzle or by a single query either", async () => {
    const before = await settings();
    await database.transaction(async ({ orm }) => {
      await orm.execute("SET DateStyle = 'SQL, DMY'");
    });
    await database.transaction((transaction) => transaction.query("SET TimeZone = 'Pacific/Kiritimati'"));
    expect(await settings()).toEqual(before);
  });
});

describe("changesSession", () => {
  it.each([
    "SET LOCAL lock_timeout = '1s'",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET CONSTRAINTS ALL IMMEDIATE",
    "SELECT set_config('work_mem', '64kB', true)",
    "UPDATE t SET a = 1",
    "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE\nSET a = 2",
  ])("ignores statements that end with the transaction or change no setting: %s", (statement) => {
    expect(changesSession(statement)).toBe(false);
  });
});
