import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, serverUrl, type TestDatabase, testEngines } from "../../testing/index.ts";
import {
  type Database,
  DatabaseUnavailableError,
  openDatabase,
  type SqlSession,
  transactionFromDrizzle,
  transactionFromPostgres,
} from "../index.ts";

/** Fails after sending rows, which fill the server's buffer before the division by zero. */
const FAILS_MIDWAY = "SELECT i, repeat('x', 2000) AS x, 1 / (50 - i) AS y FROM generate_series(1, 100) AS i";
/** Sends rows, and then takes longer than any timeout. */
const HANGS_MIDWAY = `
SELECT i, repeat('x', 2000) AS x, CASE WHEN i = 50 THEN pg_sleep(60)::text END AS y FROM generate_series(1, 100) AS i`;
const ONE = [{ one: 1 }];

async function isSound(session: SqlSession): Promise<void> {
  expect(await session.query("SELECT 1 AS one")).toEqual(ONE);
  expect(await session.query("SELECT $1::text AS text", ["x"])).toEqual([{ text: "x" }]);
}

describe.runIf(testEngines().includes("server"))("a session on a server", () => {
  let test: TestDatabase;
  let url = "";
  /** One connection, so that any leftovers of a statement affect the next. */
  let database: Database;
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);

  beforeAll(async () => {
    test = await createTestDatabase("server");
    url = serverUrl(test);
    database = await openDatabase({ url, maxConnections: 1, statementTimeout: 500 });
    process.on("uncaughtException", onUnhandled).on("unhandledRejection", onUnhandled);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
    process.off("uncaughtException", onUnhandled).off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
  });

  /** Ends, or cancels, the statement that another session of this database runs or has run. */
  async function signal(how: "pg_terminate_backend" | "pg_cancel_backend", pid: number): Promise<void> {
    await test.database.asOwner((owner) => owner.query(`SELECT ${how}($1)`, [pid]));
  }

  /** Counts the sessions that match a condition, as the owner sees them. */
  async function look(condition: string, pid: number): Promise<number> {
    const rows = await test.database.asOwner((owner) =>
      owner.query(`SELECT FROM pg_stat_activity WHERE ${condition}`, [pid]),
    );
    return rows.length;
  }

  async function pidOf(session: SqlSession): Promise<number> {
    const [row] = await session.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    return row?.pid ?? 0;
  }

  describe.each([
    ["fails", FAILS_MIDWAY, "22012"],
    ["runs out of time", HANGS_MIDWAY, "57014"],
  ])("answers the queries after a statement that %s after sending rows", (_name, statement, code) => {
    it("alone", async () => {
      await expect(database.query(statement)).rejects.toMatchObject({ code });
      await isSound(database);
    });

    it("in a transaction and in a savepoint of one", async () => {
      await expect(database.transaction((open) => open.query(statement))).rejects.toMatchObject({ code });
      await isSound(database);
      await database.transaction(async (open) => {
        await expect(open.savepoint((inner) => inner.query(statement))).rejects.toMatchObject({ code });
        await isSound(open);
      });
      await isSound(database);
    });

    it("through drizzle", async () => {
      await expect(database.orm.execute(statement)).rejects.toMatchObject({ cause: { code } });
      await isSound(database);
    });
  });

  it("answers the queries after a statement that is cancelled after sending rows", async () => {
    const own = await openDatabase({ url, maxConnections: 1 });
    const pid = await pidOf(own);
    const cancelled = own.query(HANGS_MIDWAY).catch((error: unknown) => error);
    await expect.poll(() => look("pid = $1 AND wait_event = 'PgSleep'", pid)).toBe(1);
    await signal("pg_cancel_backend", pid);
    expect(await cancelled).toMatchObject({ code: "57014" });
    await isSound(own);
    await own.close();
  });

  it.each([
    ["waits for the application", async (_open: SqlSession, ended: Promise<void>) => ended],
    [
      "runs a statement",
      async (open: SqlSession) => {
        await open.query("SELECT pg_sleep(60)");
      },
    ],
  ])("that the server ends while its transaction %s fails alone", async (_name, meanwhile) => {
    const own = await openDatabase({ url, maxConnections: 1 });
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const failing = own.transaction(async (open) => {
      const pid = await pidOf(open);
      const terminated = signal("pg_terminate_backend", pid).then(async () => {
        await expect.poll(() => look("pid = $1", pid)).toBe(0);
        end();
      });
      await meanwhile(open, ended);
      await terminated;
      await open.query("SELECT 1");
    });
    await expect(failing).rejects.toThrow(DatabaseUnavailableError);
    await isSound(own);
    await own.close();
  });

  it("fails a transaction in which a statement failed, even when the error was caught", async () => {
    const caught = database.transaction(async (open) => {
      await open.query("CREATE TEMPORARY TABLE undone (id integer)");
      await open.query("SELECT 1 / 0").catch(() => {});
    });
    await expect(caught).rejects.toMatchObject({ code: "22012" });
    await isSound(database);
  });

  it("runs a prepared statement whose result type a migration has changed", async () => {
    await test.database.asOwner((owner) =>
      owner.execute("CREATE TABLE public.changing (a integer); GRANT SELECT ON public.changing TO synap_app"),
    );
    expect(await database.query("SELECT * FROM public.changing")).toEqual([]);
    await test.database.asOwner((owner) =>
      owner.execute(
        "ALTER TABLE public.changing ADD COLUMN b text; INSERT INTO public.changing VALUES (1, 'b')",
      ),
    );
    expect(await database.query("SELECT * FROM public.changing")).toEqual([{ a: 1, b: "b" }]);
  });

  it("accepts one statement at a time", async () => {
    await expect(database.query("SELECT 1; SELECT 2")).rejects.toMatchObject({ code: "42601" });
  });

  it("lent by the application from postgres.js answers queries after any failed statement", async () => {
    const client = postgres(url, { max: 1, onnotice: () => {} });
    await client.unsafe(FAILS_MIDWAY).catch(() => {});
    await client.begin((sql) => isSound(transactionFromPostgres(sql)));
    await client.begin(async (sql) => {
      await sql.savepoint((inner) => inner.unsafe(FAILS_MIDWAY)).catch(() => {});
      await isSound(transactionFromPostgres(sql));
    });
    const orm = drizzle(client);
    await orm.execute(FAILS_MIDWAY).catch(() => {});
    await orm.transaction((open) => isSound(transactionFromDrizzle(open)));
    await client.end();
  });
});
