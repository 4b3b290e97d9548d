import { type Database, type EventStore, migrate, openDatabase, PositionLostError } from "@synap/database";
import { createEventStore, syncEventTypes } from "@synap/database/internal";
import { seedCatalogue } from "@synap/types";
import postgres, { type Sql } from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { canRunTimescaledb, TimescaledbServer } from "../../src/processes/timescaledb-server.ts";

// PostgreSQL writes to its log which numbers of a sequence are given out only once for 32 of them, and no transaction that rolls back
// waits until that is on the disk. After a crash it gives such numbers out again. A subscriber that keeps its position elsewhere
// must not have passed one of them: it would never see the event that has it then.
describe.runIf(canRunTimescaledb)(
  "the append numbers of a server that is killed",
  { timeout: 300_000 },
  () => {
    const server = new TimescaledbServer(54_373);
    const url = server.url.replace(/\/postgres$/, "/numbers");
    let admin: Sql;
    let database: Database;
    let store: EventStore;

    const connect = (to: string) => postgres(to, { max: 1, onnotice: () => {} });

    beforeAll(async () => {
      await server.remove();
      await server.start();
      admin = connect(server.url);
      await admin.unsafe("CREATE DATABASE numbers");
      // A transaction that rolls back then wakes nobody who writes the log.
      await admin.unsafe("ALTER SYSTEM SET wal_writer_delay = '10s'");
      await admin.unsafe("ALTER SYSTEM SET autovacuum = off");
      await admin.unsafe("ALTER SYSTEM SET timescaledb.max_background_workers = 0");
      await admin.end();
      await open();
      await migrate(database);
      await syncEventTypes(database, seedCatalogue);
      await close();
    }, 180_000);
    afterEach(async () => {
      await close();
    });
    afterAll(async () => {
      // A server whose process is stopped can't be stopped otherwise.
      await server.kill();
      await server.remove();
    });

    async function open(): Promise<void> {
      admin = connect(url);
      database = await openDatabase({ url });
      store = createEventStore({ database, catalogue: seedCatalogue });
    }

    async function close(): Promise<void> {
      await database.close();
      await admin.end();
    }

    /** Kills every process of the server and starts it again, and the connections with it. */
    async function crash(): Promise<void> {
      await server.kill();

      await close().catch(() => {});
      await server.recover();
      await open();
    }

    /** Stops the process that writes the log of PostgreSQL in the background. Only commits write it then. */
    async function stopWalWriter(): Promise<void> {
      const rows = await admin<
        { pid: number }[]
      >`SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'`;
      for (const { pid } of rows) process.kill(pid, "SIGSTOP");
      expect(rows).toHaveLength(1);
    }

    const note = (content: string) =>
      seedCatalogue.createSynapEvent({ type: "note.creation.requested", data: { content } });

    async function append(content: string): Promise<number> {
      const outcome = await store.append(note(content));
      if (outcome.status !== "stored") throw new Error(`not stored: ${outcome.status}`);
      return outcome.position;
    }

    /** Appends more often than PostgreSQL has numbers in its log, and rolls all of it back. */
    async function rollBackAppends(): Promise<void> {
      const undone = database.transaction(async (transaction) => {
        for (let count = 0; count < 70; count += 1) await store.append(note("undone"), { transaction });
        throw new Error("rolled back on purpose");
      });
      await expect(undone).rejects.toThrow("rolled back on purpose");
    }

    /** The position of a subscriber that has read everything, and of the first event after the crash. */
    async function readAndCrash(): Promise<{ saved: number; next: number; found: number[] }> {
      await append("before");
      await stopWalWriter();
      await rollBackAppends();
      const { position: saved, caughtUp } = await store.readAll({ after: 0, limit: 10_000 });
      expect(caughtUp).toBe(true);
      await crash();
      const next = await append("after");
      const reading = store.readAll({ after: saved, limit: 10 }).catch((error: unknown) => {
        // Ahead of the log for a while: refused, where it once found nothing and missed the event.
        if (error instanceof PositionLostError) return { events: [] };
        throw error;
      });
      const { events } = await reading;
      return { saved, next, found: events.map(({ position }) => position) };
    }

    it("that a subscriber has passed are not given to another event", async () => {
      await open();
      for (let round = 0; round < 3; round += 1) {
        const { saved, next, found } = await readAndCrash();
        expect(next).toBeGreaterThan(saved);
        expect(found).toEqual([next]);
      }
    });

    // Without that, the test above would prove nothing.
    it("are given out again when the watermark passes what was rolled back", async () => {
      await open();
      await database.asOwner(async (owner) => {
        await owner.execute(`
        CREATE OR REPLACE FUNCTION synap.append_watermark() RETURNS bigint LANGUAGE sql VOLATILE
        AS 'SELECT last_value FROM synap.append_sequence'`);
      });
      const lost: number[] = [];
      for (let round = 0; round < 10 && lost.length === 0; round += 1) {
        const { next, found } = await readAndCrash();
        if (!found.includes(next)) lost.push(next);
      }
      expect(lost).toHaveLength(1);
    });

    it("belong to events that are still there, also of a program that waits for no disk", async () => {
      await open();
      await append("before");
      const program = connect(url);
      await program.unsafe("SET synchronous_commit = off");
      const before = await store.readAll({ after: 0, limit: 10_000 });
      await stopWalWriter();
      await program.unsafe(`SELECT * FROM synap.post_event('note.creation.completed', '{"content":"x"}')`);
      const { events } = await store.readAll({ after: before.position, limit: 10 });
      expect(events).toHaveLength(1);
      await crash();
      await program.end();
      const again = await store.readAll({ after: before.position, limit: 10 });
      expect(again.events.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    });
  },
);
