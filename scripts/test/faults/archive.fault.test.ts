import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, migrate, openDatabase } from "@synap/database";
import { archivedChunks, createEventStore, extendChain, verifyChain } from "@synap/database/internal";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSynapCommand } from "../../src/processes/run-command.ts";
import { canRunTimescaledb, TimescaledbServer } from "../../src/processes/timescaledb-server.ts";

const DAYS = 4;
const EVENTS = 2_000;

describe.runIf(canRunTimescaledb)("an archive that is killed", { timeout: 300_000 }, () => {
  const server = new TimescaledbServer(54_378);
  const url = server.url.replace(/\/postgres$/, "/archived");
  const folder = mkdtempSync(join(tmpdir(), "synap-archive-fault-"));
  let admin: Sql;
  let database: Database;

  beforeAll(async () => {
    await server.remove();
    await server.start();
    admin = postgres(server.url, { max: 1, onnotice: () => {} });
    await admin.unsafe("CREATE DATABASE archived");
    database = await openDatabase({ url });
    await migrate(database);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const events = Array.from({ length: EVENTS }, (_, index) =>
      createSynapEvent({
        type: "note.creation.completed",
        userId: "ada",
        timestamp: new Date(Date.UTC(2024, 0, 1 + (index % DAYS), 0, 0, 0, index)).toISOString(),
        data: { content: `Call Acme ${index}` },
      }),
    );
    for (let at = 0; at < EVENTS; at += 500)
      await store.appendBatch(events.slice(at, at + 500), { timestamps: "backfill" });
  }, 240_000);
  afterAll(async () => {
    await database.close();
    await admin.end();
    await server.kill();
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const archive = (...args: string[]) =>
    runSynapCommand(["archive", ...args], { env: { DATABASE_URL: url } });
  const all = ["--before", "2024-01-04T00:00:00Z", "--to", folder];
  const states = async () => (await archivedChunks(database)).map(({ state }) => state);
  const log = async () => {
    const rows = await database.query<{ row: string }>(
      "SELECT e::text AS row FROM synap.events AS e WHERE type <> 'events.archived' ORDER BY \"position\"",
    );
    return rows.map(({ row }) => row);
  };

  /** Kills a command when a chunk comes to a state, before that is committed, however busy the machine is. */
  async function killAt(state: string, command: readonly string[]): Promise<void> {
    await database.asOwner((owner) =>
      owner.execute(`
        CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3600); RETURN NEW; END $$;
        CREATE TRIGGER wait BEFORE INSERT OR UPDATE ON synap.archived_chunks
          FOR EACH ROW WHEN (NEW.state = '${state}') EXECUTE FUNCTION public.wait()`),
    );
    const waiting = `
      SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`;
    const killed = archive(...command);
    await expect
      .poll(() => database.asOwner((owner) => owner.query(waiting)), { timeout: 120_000 })
      .toHaveLength(1);
    killed.child.kill("SIGKILL");
    expect(await killed.ended).toBe("SIGKILL");
    await database.asOwner(async (owner) => {
      await owner.query(`SELECT pg_terminate_backend(w.pid, 30000) FROM (${waiting}) AS w`);
      await owner.execute("DROP TRIGGER wait ON synap.archived_chunks; DROP FUNCTION public.wait()");
    });
  }

  it("loses nothing at any step, and the next run does the rest", async () => {
    const before = await log();
    await killAt("exporting", all);
    expect(await states()).toEqual([]);
    await killAt("verified", all);
    expect(await states()).toEqual(["exporting"]);
    expect(readdirSync(join(folder, readdirSync(folder)[0] ?? ""))).toHaveLength(2);
    await killAt("dropped", all);
    expect(await states()).toEqual(["verified"]);
    expect(await log()).toEqual(before);

    const next = archive(...all);
    expect(await next.ended, next.output()).toBe(0);
    expect(await states()).toEqual(["dropped", "dropped", "dropped"]);
    expect(await log()).toHaveLength(EVENTS / DAYS);
    while (await extendChain(database));
    expect((await verifyChain(database)).faults).toEqual([]);
    const verified = archive("verify");
    expect(await verified.ended, verified.output()).toBe(0);

    const names = (await archivedChunks(database)).map(({ chunk }) => chunk);
    await killAt("restored", ["restore", ...names]);
    expect(await states()).toEqual(["dropped", "dropped", "dropped"]);
    expect(await log()).toHaveLength(EVENTS / DAYS);
    const restored = archive("restore", ...names);
    expect(await restored.ended, restored.output()).toBe(0);
    expect(await log()).toEqual(before);
    while (await extendChain(database));
    expect((await verifyChain(database)).faults).toEqual([]);
  });
});
