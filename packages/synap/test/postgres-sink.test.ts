import { declareRestored, readEpochs } from "@synap/database/internal";
import { createTestDatabase, serverUrl, type TestDatabase, testEngines } from "@synap/database/testing";
import type { Sink } from "@synap/handlers";
import { EventDispatcher, epochName } from "@synap/handlers/internal";
import { createSynapEvent, noteCreationCompleted, type StoredEvent, seedCatalogue } from "@synap/types";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PostgresWrites } from "../src/sinks/postgres-connection.ts";
import { postgresSink } from "../src/sinks/postgres-sink.ts";
import { describeSink } from "../testing/sink-contract.ts";

describe.skipIf(!testEngines().includes("server"))("postgresSink", () => {
  let test: TestDatabase;
  let client: pg.Client;
  let made = 0;
  beforeAll(async () => {
    test = await createTestDatabase("server", "empty");
    client = new pg.Client(serverUrl(test));
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await test.drop();
  });

  describeSink("PostgreSQL", async () => {
    made += 1;
    const schema = `sink_${made}`;
    return {
      sink: (options, refuses) =>
        postgresSink({
          ...options,
          events: [noteCreationCompleted],
          url: serverUrl(test),
          schema,
          tables: "CREATE TABLE arrived (number bigint GENERATED ALWAYS AS IDENTITY, id text, stream text)",
          async apply(events, { query }) {
            for (const event of events) {
              await query("INSERT INTO arrived (id, stream) VALUES ($1, $2)", [event.id, event.aggregateId]);
              if (refuses(event)) throw new RangeError("refused");
            }
          },
        }),
      arrived: async () => {
        const { rows } = await client.query(`SELECT id, stream FROM "${schema}".arrived ORDER BY number`);
        return rows;
      },
      close: async () => {
        await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      },
    };
  });

  describe("of an embedded store", () => {
    let store: TestDatabase;
    beforeAll(async () => {
      store = await createTestDatabase("embedded");
    });
    afterAll(() => store.drop());

    /** A sink, and what runs it. */
    function begin(
      apply: (events: readonly StoredEvent[], writes: PostgresWrites) => Promise<void>,
      options: { readonly url?: string; readonly timeoutMs?: number } = {},
    ) {
      made += 1;
      const name = `own-${made}`;
      const definition = {
        name,
        description: "Takes the events of one test.",
        events: [noteCreationCompleted],
        filter: { source: name },
        url: serverUrl(test),
        schema: name,
        tables: "CREATE TABLE arrived (id text PRIMARY KEY)",
        apply,
        ...options,
      };
      const dispatcherOn = (sink: Sink) =>
        new EventDispatcher({ database: store.database, catalogue: seedCatalogue, sinks: [sink] });
      const dispatcher = dispatcherOn(postgresSink(definition));
      const append = async (count: number) => {
        const note = () =>
          createSynapEvent({ type: "note.creation.completed", data: { content: "x" }, source: name });
        const events = Array.from({ length: count }, note);
        await dispatcher.store.appendBatch(events);
        return events.map(({ id }) => id);
      };
      const arrived = async () => {
        const { rows } = await client.query<{ id: string }>(`SELECT id FROM "${name}".arrived ORDER BY id`);
        return rows.map(({ id }) => id);
      };
      return { name, definition, dispatcher, dispatcherOn, append, arrived };
    }

    const insert = async (events: readonly StoredEvent[], { query }: PostgresWrites) => {
      for (const { id } of events) await query("INSERT INTO arrived VALUES ($1)", [id]);
    };

    it("gets a batch again whose connection the server has ended in the middle", async () => {
      let isFirst = true;
      const { dispatcher, name, append, arrived } = begin(async (events, writes) => {
        await insert(events, writes);
        const [row] = await writes.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        if (isFirst) await client.query("SELECT pg_terminate_backend($1)", [row?.pid]);
        isFirst = false;
      });
      const ids = await append(3);
      await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ transient: true });
      expect(await arrived()).toEqual([]);
      expect(await dispatcher.catchUp(name)).toMatchObject({ status: "done", processed: 3, caughtUp: true });
      expect(await arrived()).toEqual(ids.sort());
      expect(await dispatcher.deadLetters.list({ handler: name })).toEqual([]);
      await dispatcher.stopSinks();
    });

    it("is given up after its time limit, while appends and handlers go on", async () => {
      const { dispatcher, name, append } = begin(
        async (_, { query }) => void (await query("SELECT pg_sleep(60)")),
        {
          timeoutMs: 1_000,
        },
      );
      await append(1);
      const pass = dispatcher.catchUp(name);
      const failed = expect(pass).rejects.toMatchObject({ transient: true, cause: { code: "SINK_TIMEOUT" } });
      // The embedded engine has one session: this would wait for the pass if that held it.
      await append(1);
      const [row] = await store.database.query<{ busy: number }>("SELECT 1 AS busy");
      expect(row).toEqual({ busy: 1 });
      await failed;
      const running = `SELECT FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'`;
      await expect.poll(async () => (await client.query(running, [`synap sink ${name}`])).rowCount).toBe(0);
      await dispatcher.stopSinks();
    });

    it("waits while its server can't be reached", async () => {
      const { dispatcher, name, append } = begin(insert, { url: "postgres://nobody@127.0.0.1:9/none" });
      await append(1);
      await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ transient: true, handler: name });
      expect(await dispatcher.deadLetters.list({ handler: name })).toEqual([]);
      await dispatcher.stopSinks();
    });

    it("makes an event whose data PostgreSQL refuses a dead letter at once, and takes the others", async () => {
      const { dispatcher, name, append, arrived } = begin(async (events, writes) => {
        await insert(events, writes);
        for (const { id } of events) await writes.query("SELECT 1 / $1::integer", [id === bad ? 0 : 1]);
      });
      const [bad, ...others] = await append(8);
      expect(await dispatcher.catchUp(name)).toMatchObject({ deadLettered: 1, retrying: [] });
      expect(await arrived()).toEqual(others.sort());
      const [deadLetter] = await dispatcher.deadLetters.list({ handler: name });
      expect(deadLetter).toMatchObject({ eventId: bad, code: "sqlstate-22012", attempts: 1 });
      await dispatcher.stopSinks();
    });

    it("refuses the checkpoint of another store, and the schema of another sink", async () => {
      const { dispatcher, dispatcherOn, definition, name, append, arrived } = begin(insert);
      const ids = await append(1);
      await dispatcher.catchUp(name);
      await dispatcher.stopSinks();
      await append(1);
      await store.database.query("UPDATE synap.sinks SET runner = NULL");
      await client.query(`UPDATE "${name}".synap_checkpoint SET epoch = '1 of another store'`);
      const again = dispatcherOn(postgresSink(definition));
      await expect(again.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_EPOCH" } });
      await again.stopSinks();
      const other = dispatcherOn(postgresSink({ ...definition, name: "other" }));
      await expect(other.catchUp("other")).rejects.toMatchObject({ cause: { code: "SINK_POSITION" } });
      await other.stopSinks();
      expect(await arrived()).toEqual(ids);
    });

    it("goes on in a store that was restored with everything it has, and not in one that lost events", async () => {
      const { dispatcher, name, append, arrived } = begin(insert);
      const first = await append(2);
      await dispatcher.catchUp(name);
      await store.database.asOwner((owner) => declareRestored(owner));
      const second = await append(2);
      await dispatcher.catchUp(name);
      expect(await arrived()).toEqual([...first, ...second].sort());
      // As if it had got events of the first epoch behind those that the restored store has.
      const epochs = await readEpochs(store.database);
      const [before, after] = epochs.slice(-2);
      const lost = [(after?.lastBefore ?? 0) + 1, before && epochName(before)];
      await client.query(`UPDATE "${name}".synap_checkpoint SET "position" = $1, epoch = $2`, lost);
      await append(1);
      await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_POSITION" } });
      await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_EPOCH" } });
      expect(await arrived()).toHaveLength(4);
      await dispatcher.stopSinks();
    });

    it("fills a destination that was emptied from the beginning", async () => {
      const { dispatcher, dispatcherOn, definition, name, append, arrived } = begin(insert);
      const ids = await append(3);
      await dispatcher.catchUp(name);
      await dispatcher.stopSinks();
      await client.query(`DROP SCHEMA "${name}" CASCADE`);
      const again = dispatcherOn(postgresSink(definition));
      await again.catchUp(name);
      expect(await arrived()).toEqual(ids.sort());
      await again.stopSinks();
    });
  });
});
