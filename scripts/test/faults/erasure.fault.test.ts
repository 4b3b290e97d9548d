import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, keyFile, ledgerFile, migrate, openDatabase } from "@synap/database";
import {
  createEventStore,
  createPersonalData,
  createSubjectKeys,
  makeKeyFile,
  syncEventTypes,
} from "@synap/database/internal";
import { createEventCatalogue, defineEventType } from "@synap/types";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { runSynapCommand } from "../../src/processes/run-command.ts";
import { canRunTimescaledb, TimescaledbServer } from "../../src/processes/timescaledb-server.ts";

const EMAIL = "ada@example.org";
const catalogue = createEventCatalogue([
  defineEventType({
    name: "customer.joined",
    description: "A customer joined.",
    schema: z.strictObject({ email: z.string().meta({ personal: { subject: "userId" } }) }),
    example: { email: "grace@example.com" },
  }),
]);

describe.runIf(canRunTimescaledb)("an erasure that is killed", { timeout: 300_000 }, () => {
  const server = new TimescaledbServer(54_375);
  const url = server.url.replace(/\/postgres$/, "/erased");
  const folder = mkdtempSync(join(tmpdir(), "synap-erasure-"));
  const keys = join(folder, "keys");
  let admin: Sql;
  let holder: Sql;
  let database: Database;
  let id: string;

  /** A process that has just started: it keeps no keys. */
  const started = () => {
    const ledger = ledgerFile(`${keys}.erased`);
    return createPersonalData(catalogue, createSubjectKeys({ database, provider: keyFile(keys), ledger }));
  };
  beforeAll(async () => {
    await server.remove();
    await server.start();
    admin = postgres(server.url, { max: 1, onnotice: () => {} });
    await admin.unsafe("CREATE DATABASE erased");
    holder = postgres(url, { max: 1, onnotice: () => {} });
    database = await openDatabase({ url });
    await migrate(database);
    await makeKeyFile(keys);
    await syncEventTypes(database, catalogue);
    const event = catalogue.createSynapEvent({
      type: "customer.joined",
      userId: "ada",
      data: { email: EMAIL },
    });
    id = event.id;
    await createEventStore({ database, catalogue, personalData: started() }).append(event);
  }, 240_000);
  afterAll(async () => {
    await database.close();
    await holder.end();
    await admin.end();
    await server.kill();
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const subjects = (...args: string[]) =>
    runSynapCommand(["subjects", ...args], {
      env: { DATABASE_URL: url, SYNAP_PERSONAL_DATA_KEY_FILE: keys },
    });
  const erase = () => subjects("erase", "ada", "--reason", "A test");
  const waiting = (event: string) =>
    database.asOwner((owner) =>
      owner.query("SELECT pid FROM pg_stat_activity WHERE wait_event = $1 AND datname = current_database()", [
        event,
      ]),
    );
  const kill = async (erasure: ReturnType<typeof erase>) => {
    erasure.child.kill("SIGKILL");
    expect(await erasure.ended).toBe("SIGKILL");
  };
  /** Kills an erasure before it writes into a table, in the transaction that would. */
  const killBefore = async (table: string, event: "INSERT" | "UPDATE") => {
    await database.asOwner((owner) =>
      owner.execute(`
        CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_sleep(3600); RETURN NULL; END $$;
        CREATE TRIGGER wait BEFORE ${event} ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION public.wait()`),
    );
    const erasure = erase();
    await expect.poll(() => waiting("PgSleep"), { timeout: 120_000 }).toHaveLength(1);
    await kill(erasure);
    await database.asOwner(async (owner) => {
      await owner.query(
        "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
      );
      await owner.execute(`DROP TRIGGER wait ON ${table}; DROP FUNCTION public.wait()`);
    });
  };
  const state = async () => {
    const [row] = await database.asOwner((owner) =>
      owner.query<{ key: boolean; erasures: number; events: number; replacements: number }>(`
        SELECT (SELECT wrapped_key IS NOT NULL FROM synap.subject_keys WHERE subject = 'ada') AS key,
               (SELECT count(*) FROM synap.erasures WHERE subject = 'ada') AS erasures,
               (SELECT count(*) FROM synap.events WHERE type = 'subject.erased') AS events,
               (SELECT count(*) FROM synap.purges WHERE erased_subject = 'ada') AS replacements`),
    );
    const personalData = started();
    const stored = await createEventStore({ database, catalogue, personalData }).getById(id);
    const [opened] = await personalData.open(stored === undefined ? [] : [stored]);
    if (row === undefined) throw new Error("The query returned no row.");
    return { ...row, email: opened?.data["email"] };
  };

  it("is finished by the same command, between whichever two steps it was killed", async () => {
    // Before the ledger is written: somebody is putting a subject on hold.
    const hold = await holder.reserve();
    await hold.unsafe("BEGIN; LOCK TABLE synap.subject_holds IN ROW EXCLUSIVE MODE");
    const first = erase();
    await expect.poll(() => waiting("relation"), { timeout: 120_000 }).toHaveLength(1);
    await kill(first);
    await hold.unsafe("ROLLBACK");
    hold.release();
    expect(await state()).toEqual({ key: true, erasures: 1, events: 0, replacements: 0, email: EMAIL });

    // After the ledger is written: nobody reads it any more, though the key is there.
    await killBefore("synap.subject_keys", "UPDATE");
    const hidden = { erasures: 1, events: 0, replacements: 0, email: "[hidden]" };
    expect(readFileSync(`${keys}.erased`, "utf8").trim()).toMatch(/^[0-9a-f]{64}$/);
    expect(await state()).toEqual({ ...hidden, key: true });

    // After the key is destroyed, while the command waits for other processes.
    const third = erase();
    await expect.poll(async () => (await state()).key, { timeout: 120_000 }).toBe(false);
    await kill(third);
    expect(await state()).toEqual({ ...hidden, key: false });

    // In the transaction that appends the event.
    await killBefore("synap.purges", "INSERT");
    expect(await state()).toEqual({ ...hidden, key: false });
    const unfinished = subjects("verify", "ada", "--canary", EMAIL);
    expect([await unfinished.ended, unfinished.output()]).toEqual([1, expect.stringContaining("not erased")]);

    const last = subjects("erase", "--continue");
    expect(await last.ended, last.output()).toBe(0);
    expect(await state()).toEqual({ ...hidden, key: false, events: 1, replacements: 1 });
    const nothing = subjects("erase", "--continue");
    expect([await nothing.ended, nothing.output()]).toEqual([
      0,
      expect.stringContaining("nothing to continue"),
    ]);
    const verified = subjects("verify", "ada", "--canary", EMAIL);
    await verified.ended;
    expect(verified.output()).toMatch(/canary\nthe workers have not replaced the read models yet/);
  });
});
