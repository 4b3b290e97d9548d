import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPgliteInThread, type PgliteInThread } from "./pglite-in-thread.ts";

/** Recursion deeper than the machine's stack, which PostgreSQL is made to think larger: a trap that nothing catches. */
const BREAKING = `
  SET max_stack_depth = '60MB';
  CREATE FUNCTION endless(i int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN endless(i + 1) + 1; END';`;

describe("the engine in a thread", () => {
  let engine: PgliteInThread;
  beforeAll(async () => {
    engine = await openPgliteInThread(undefined);
    await engine.exec("CREATE TABLE item (name text PRIMARY KEY)");
  });
  afterAll(() => engine.close());

  const names = async () =>
    (await engine.query<{ name: string }>("SELECT name FROM item ORDER BY name")).rows.map(
      ({ name }) => name,
    );

  it("returns rows as the driver would: int8 as numbers, times as dates, jsonb parsed", async () => {
    const { rows } = await engine.query(
      `SELECT $1::bigint AS big, $2::timestamptz AS moment, '{"a": [1]}'::jsonb AS json, NULL AS nothing`,
      [9_007_199_254_740_991n, new Date(1)],
    );
    expect(rows).toEqual([
      { big: 9_007_199_254_740_991, moment: new Date(1), json: { a: [1] }, nothing: null },
    ]);
  });

  it("leaves types as text on request", async () => {
    const TIMESTAMPTZ = 1184;
    const { rows } = await engine.query("SELECT '2026-01-02 03:04:05+00'::timestamptz", [], {
      rowMode: "array",
      unparsed: [TIMESTAMPTZ],
    });
    expect(rows).toEqual([["2026-01-02 03:04:05+00"]]);
  });

  it("preserves the fields of PostgreSQL's errors", async () => {
    const failing = engine.query("INSERT INTO item VALUES ('a'), ('a')");
    await expect(failing).rejects.toMatchObject({
      message: expect.stringContaining("duplicate key"),
      code: "23505",
      constraint: "item_pkey",
    });
  });

  it("ends when PostgreSQL has crashed, reports that, and refuses every later request", async () => {
    const broken = await openPgliteInThread(undefined);
    await broken.exec(BREAKING);
    await expect(broken.query("SELECT 1 / 0")).rejects.toMatchObject({ code: "22012" });
    await expect(broken.query("SELECT endless(1)")).rejects.toThrow();
    expect(await broken.failed).toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    await expect(broken.query("SELECT 1")).rejects.toThrow(/embedded engine has crashed/);
    await broken.close();
  });

  it("queues other requests behind an open transaction, in order of arrival", async () => {
    const order: string[] = [];
    const first = engine.transaction(async (transaction) => {
      await transaction.exec("INSERT INTO item VALUES ('first')");
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect((await transaction.query("SELECT FROM item")).rows).toHaveLength(1);
      order.push("first");
    });
    const beside = engine.exec("INSERT INTO item VALUES ('beside')").then(() => order.push("beside"));
    const second = engine.transaction(async (transaction) => {
      expect((await transaction.query("SELECT FROM item")).rows).toHaveLength(2);
      order.push("second");
    });
    await Promise.all([first, beside, second]);
    expect(order).toEqual(["first", "beside", "second"]);
    expect(await names()).toEqual(["beside", "first"]);
  });

  it("rolls back a transaction whose work throws, and continues", async () => {
    const failing = engine.transaction(async (transaction) => {
      await transaction.exec("INSERT INTO item VALUES ('lost')");
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    expect(await names()).not.toContain("lost");
  });

  it("opens a transaction with its first statement, using the given script", async () => {
    const role = await engine.transaction(
      async (transaction) =>
        (await transaction.query<{ zone: string }>("SELECT current_setting('timezone') AS zone")).rows[0]
          ?.zone,
      "BEGIN; SET LOCAL timezone = 'Asia/Kolkata'",
    );
    expect(role).toBe("Asia/Kolkata");
    await expect(engine.transaction(() => Promise.resolve("nothing to do"))).resolves.toBe("nothing to do");
  });

  it("refuses a statement for a transaction that is over", async () => {
    const late = await engine.transaction(async (transaction) => transaction);
    await expect(late.query("SELECT 1")).rejects.toThrow("The transaction is over.");
  });

  it("delivers notifications until the listener stops", async () => {
    const heard: string[] = [];
    const stop = await engine.listen("news", (payload) => heard.push(payload));
    await engine.exec("NOTIFY news, 'one'");
    await stop();
    await engine.exec("NOTIFY news, 'two'");
    await engine.query("SELECT 1");
    expect(heard).toEqual(["one"]);
  });

  it("reports the database as unavailable once it is closed", async () => {
    const own = await openPgliteInThread(undefined);
    await own.close();
    await expect(own.query("SELECT 1")).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
  });
});
