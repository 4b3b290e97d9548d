import { type Database, migrate, openDatabase } from "@synap/database";
import {
  createEventStore,
  extendChain,
  planRetention,
  setRetentionPolicy,
  syncEventTypes,
  verifyChain,
} from "@synap/database/internal";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { counted } from "@synap/types/internal";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSynapCommand } from "../../src/processes/run-command.ts";
import { canRunTimescaledb, TimescaledbServer } from "../../src/processes/timescaledb-server.ts";

const EVENTS = 6_000;
const HOUR_MS = 3_600_000;

describe.runIf(canRunTimescaledb)("a purge that is killed", { timeout: 300_000 }, () => {
  const server = new TimescaledbServer(54_374);
  const url = server.url.replace(/\/postgres$/, "/purged");
  let admin: Sql;
  let database: Database;

  beforeAll(async () => {
    await server.remove();
    await server.start();
    admin = postgres(server.url, { max: 1, onnotice: () => {} });
    await admin.unsafe("CREATE DATABASE purged");
    database = await openDatabase({ url });
    await migrate(database);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const now = Date.now();
    for (let from = 0; from < EVENTS; from += 1_000) {
      const events = Array.from({ length: 1_000 }, (_, index) =>
        createSynapEvent({
          type: "note.creation.completed",
          userId: index % 2 === 0 ? "ada" : "ben",
          timestamp: new Date(now - (from + index) * (HOUR_MS / 100)).toISOString(),
          data: { content: "Call Acme" },
        }),
      );
      await store.appendBatch(events, { timestamps: "backfill" });
    }
    while (await extendChain(database));
  }, 240_000);
  afterAll(async () => {
    await database.close();
    await admin.end();
    await server.kill();
    await server.remove();
  });

  const synap = (...args: string[]) => runSynapCommand(args, { env: { DATABASE_URL: url } });
  const purge = (...args: string[]) => synap("purge", ...args);
  const removed = async () => {
    const [row] = await database.query<{ events: number }>(
      "SELECT count(*) AS events FROM synap.purged_events",
    );
    return row?.events ?? 0;
  };
  const left = async (userId: string) => {
    const [row] = await database.query<{ events: number }>(
      "SELECT count(*) AS events FROM synap.events WHERE user_id = $1",
      [userId],
    );
    return row?.events ?? 0;
  };

  /** Kills a command in its second step, which waits until then, however busy the machine is. */
  async function killInSecondStep(command: readonly string[]): Promise<void> {
    await database.asOwner((owner) =>
      owner.execute(`
        CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT FROM synap.purged_events AS e JOIN synap.purges AS p ON p.id = e.purge AND p.removed_at IS NULL) THEN PERFORM pg_sleep(3600); END IF;
          RETURN NULL;
        END $$;
        CREATE TRIGGER wait BEFORE INSERT ON synap.purged_events FOR EACH STATEMENT EXECUTE FUNCTION public.wait()`),
    );
    const waiting = `
      SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`;
    const killed = synap(...command);
    await expect
      .poll(() => database.asOwner((owner) => owner.query(waiting)), { timeout: 120_000 })
      .toHaveLength(1);
    killed.child.kill("SIGKILL");
    expect(await killed.ended).toBe("SIGKILL");
    await database.asOwner(async (owner) => {
      await owner.query(`SELECT pg_terminate_backend(w.pid, 30000) FROM (${waiting}) AS w`);
      await owner.execute("DROP TRIGGER wait ON synap.purged_events; DROP FUNCTION public.wait()");
    });
  }

  it("leaves a log without a wrong event, and does the rest when it is continued", async () => {
    await killInSecondStep(["purge", "--user", "ada", "--yes", "--reason", "A test"]);

    const halfway = await removed();
    expect(halfway).toBe(500);
    expect([await left("ada"), await left("ben")]).toEqual([EVENTS / 2 - halfway, EVENTS / 2]);
    expect((await verifyChain(database)).faults.map(({ kind }) => kind)).toEqual(["purge-unrecorded"]);
    const other = purge("--user", "ben", "--yes", "--reason", "A test");
    expect([await other.ended, other.output()]).toEqual([1, expect.stringContaining("Continue it first")]);

    const continued = purge("--continue");
    expect(await continued.ended, continued.output()).toBe(0);
    expect([await left("ada"), await left("ben")]).toEqual([0, EVENTS / 2]);
    expect(await removed()).toBe(EVENTS / 2);
    while (await extendChain(database));
    expect((await verifyChain(database)).faults).toEqual([]);
  });

  it("is finished by the next run of the policies, when it was one of theirs", async () => {
    await syncEventTypes(database, seedCatalogue);
    const old = {
      type: "note.creation.completed",
      keepDays: 1,
      forgets: false,
      reason: "A test",
      by: "user:ada",
    };
    await setRetentionPolicy(database, old);
    const [{ events: due } = { events: 0 }] = await planRetention(database);
    expect(due).toBeGreaterThan(500);
    const before = await removed();
    await killInSecondStep(["retention", "run"]);
    expect((await removed()) - before).toBe(500);
    const next = synap("retention", "run");
    expect(await next.ended, next.output()).toBe(0);
    expect(next.output()).toContain(`${counted(due, "event")} of note.creation.completed removed`);
    expect(await planRetention(database)).toMatchObject([{ events: 0 }]);
    while (await extendChain(database));
    expect((await verifyChain(database)).faults).toEqual([]);
  });
});
