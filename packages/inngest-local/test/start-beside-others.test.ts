import { describe, expect, it } from "vitest";
import { installInngestLocal } from "../src/queue/schema.ts";
import { engines } from "./queue-databases.ts";

/** Key of an advisory lock that an earlier installation took, so that any login with CONNECT could block it. */
const FORMER_LOCK = 4_729_163_508_226;

describe("the installation of the queue", () => {
  const servers = engines.filter(({ name }) => name === "PostgreSQL server");

  it.each(servers)("does not wait for advisory locks of other programs ($name)", async ({ open }) => {
    const { database, close } = await open();
    await database.transaction(async (other) => {
      await other.query(`SELECT pg_advisory_xact_lock(${FORMER_LOCK})`);
      await installInngestLocal(database);
      const locks = await database.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
      expect(locks).toEqual([]);
    });
    await close();
  });

  it.each(engines)("can be done concurrently, on an empty database and again ($name)", async ({ open }) => {
    const { database, close } = await open();
    const all = Array.from({ length: 8 }, () => installInngestLocal(database));
    expect((await Promise.allSettled(all)).filter(({ status }) => status === "rejected")).toEqual([]);
    await Promise.all(Array.from({ length: 8 }, () => installInngestLocal(database)));
    const tables = await database.query("SELECT FROM pg_tables WHERE schemaname = 'inngest_local'");
    expect(tables.length).toBeGreaterThan(5);
    await close();
  });
});
