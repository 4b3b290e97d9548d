import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createTestDatabase, serverUrl, type TestDatabase } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { migrate, openDatabase } from "../index.ts";
import { createEventStore } from "../internal.ts";
import { openConnectionPool } from "./connection-pool.ts";

// All suites with a server run through the pooler where TEST_POOLER_URL names one (.ci/run). These are about the pooler itself.
describe.runIf(process.env["TEST_POOLER_URL"])("a pooler in transaction mode", () => {
  let test: TestDatabase;
  let pooled = "";
  let direct = "";
  beforeAll(async () => {
    test = await createTestDatabase("server");
    direct = serverUrl(test);
    pooled = "url" in test.options ? test.options.url : "";
  });
  afterAll(() => test.drop());

  const at = (url: string, change: (url: URL) => void): string => {
    const changed = new URL(url);
    change(changed);
    return changed.href;
  };

  it("is noticed, and refused without a way past it", async () => {
    await expect(openDatabase({ url: pooled })).rejects.toMatchObject({
      code: "DATABASE_DIRECT_URL_MISSING",
      message: expect.stringContaining("Set DATABASE_DIRECT_URL"),
    });
  });

  it.each([
    ["leads through the pooler, too", () => pooled, /leads through a connection pooler, too/],
    [
      "is that of another database",
      () => at(direct, (url) => (url.pathname = "/postgres")),
      /another database than DATABASE_URL/,
    ],
  ])("is refused when DATABASE_DIRECT_URL %s", async (_what, directUrl, reason) => {
    await expect(openDatabase({ url: pooled, directUrl: directUrl() })).rejects.toMatchObject({
      code: "DATABASE_DIRECT_URL_INVALID",
      message: expect.stringMatching(reason),
    });
  });

  it.each([
    ["a wrong password", (url: URL) => (url.password = "wrong"), /login "postgres" is refused/],
    [
      "an unknown database",
      (url: URL) => (url.pathname = "/no_such_database"),
      /no database "no_such_database"/,
    ],
    ["start-up options", (url: URL) => (url.search = "?options=-c%20jit%3Doff"), /ignore_startup_parameters/],
  ])("refuses %s, which is explained", async (_what, change, reason) => {
    const opening = openDatabase({ url: at(pooled, change), directUrl: direct });
    await expect(opening).rejects.toMatchObject({
      code: "DATABASE_REFUSED",
      message: expect.stringMatching(reason),
    });
  });

  it("is refused by connections that are sessions, when it comes in between later", async () => {
    const pool = openConnectionPool({
      url: pooled,
      applicationName: "synap test",
      connectTimeout: 30_000,
      maxConnections: 1,
      queueTimeout: undefined,
      idleTimeout: 0,
      settle: "SELECT",
    });
    await expect(pool.use(async () => {})).rejects.toThrow(/restart this process/);
    await pool.close(0);
  });

  it("gives each transaction its settings, and passes none on to others", async () => {
    const one = await openDatabase({ url: pooled, directUrl: direct, maxConnections: 1 });
    onTestFinished(() => one.close());
    const settings = `
      SELECT current_user::text AS "user", current_setting('DateStyle') AS style, current_setting('application_name') AS name`;
    const expected = [{ user: "synap_app", style: "ISO, MDY", name: "synap" }];
    expect(await one.query(settings)).toEqual(expected);
    expect(await one.transaction((open) => open.query(settings))).toEqual(expected);
    await one.transaction((open) =>
      open.execute("SET DateStyle = 'SQL, DMY'; SET ROLE none; SET lock_timeout = 7"),
    );
    expect(await one.query(settings)).toEqual(expected);
    const stranger = openConnectionPool({
      url: pooled,
      applicationName: "another application",
      connectTimeout: 30_000,
      maxConnections: 1,
      queueTimeout: undefined,
      idleTimeout: 0,
      settle: undefined,
    });
    const text = `SELECT current_user::text AS "user", current_setting('lock_timeout') AS wait`;
    const { rows } = await stranger.use((connection) => connection.run({ text, parameters: [] }, undefined));
    expect(rows).toEqual([{ user: "postgres", wait: "0" }]);
    await stranger.close(0);
  });

  it("rolls a single statement back that fails, and keeps the connection", async () => {
    const one = await openDatabase({ url: pooled, directUrl: direct, maxConnections: 1 });
    onTestFinished(() => one.close());
    await expect(one.query("SELECT 1 / 0")).rejects.toMatchObject({ code: "22012" });
    expect(await one.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("serves more connections than it has sessions, and wakes subscribers past it", async () => {
    const many = await Promise.all(
      Array.from({ length: 6 }, () => openDatabase({ url: pooled, directUrl: direct, maxConnections: 10 })),
    );
    onTestFinished(async () => void (await Promise.all(many.map((each) => each.close()))));
    let woken = 0;
    await test.database.listen("synap_appends", () => {
      woken += 1;
    });
    const appends = many.flatMap((database) => {
      const store = createEventStore({ database, catalogue: seedCatalogue });
      return Array.from({ length: 20 }, () => store.append(noteEvent()));
    });
    const stored = await Promise.all(appends);
    expect(new Set(stored.map(({ status }) => status))).toEqual(new Set(["stored"]));
    await expect.poll(() => woken).toBeGreaterThan(0);
  });

  it("is passed by a migration", async () => {
    const empty = await createTestDatabase("server", "empty");
    onTestFinished(() => empty.drop());
    expect((await migrate(empty.database)).applied.length).toBeGreaterThan(0);
    expect(empty.database.capabilities.applicationRole).toBe(true);
  });
});
