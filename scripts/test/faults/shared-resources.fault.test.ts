import { readApiConfiguration, startApi } from "@synap/api";
import { type Database, DatabaseUnavailableError, migrate, openDatabase } from "@synap/database";
import { createEventStore, lowSharedResources, syncEventTypes } from "@synap/database/internal";
import { operatingWarnings } from "@synap/handlers/internal";
import { createInngestClient } from "@synap/service";
import { engineOn } from "@synap/synap/testing/engine-on.ts";
import { seedCatalogue } from "@synap/types";
import { pino } from "pino";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canRunTimescaledb, TimescaledbServer } from "../../src/processes/timescaledb-server.ts";

// A cluster of its own: what is used up here is missing to all databases of it.
describe.runIf(canRunTimescaledb)("a stranger with CONNECT alone who uses up", { timeout: 120_000 }, () => {
  const server = new TimescaledbServer(54_353);
  let admin: Sql;
  let database: Database;

  beforeAll(async () => {
    await server.remove();
    await server.start();
    const session = postgres(server.url, { max: 1, onnotice: () => {} });
    // The smallest queue there is, 512 KiB instead of 8 GiB.
    await session.unsafe("ALTER SYSTEM SET max_notify_queue_pages = 64");
    await session.end();
    await server.kill();
    await server.start();
    admin = postgres(server.url, { max: 1, onnotice: () => {} });
    await admin.unsafe("CREATE ROLE stranger LOGIN PASSWORD 'secret'");
    await admin.unsafe("CREATE DATABASE theirs");
    await admin.unsafe("CREATE DATABASE ours");
    database = await openDatabase({ url: server.url.replace(/\/postgres$/, "/ours"), maxConnections: 4 });
    await migrate(database);
  }, 180_000);
  afterAll(async () => {
    await database.close();
    await admin.end();
    await server.remove();
  });

  const connect = () =>
    postgres(server.url.replace("postgres:postgres@", "stranger:secret@").replace(/\/postgres$/, "/theirs"), {
      max: 1,
      onnotice: () => {},
    });
  const note = () =>
    seedCatalogue.completeEvent({ type: "note.creation.completed", data: { content: "hi" } });
  const warnings = async () =>
    (
      await operatingWarnings(database, [], {
        needsWorker: false,
        synapCommand: "synap",
        exposures: async () => [],
      })
    ).filter(({ code }) => code === "server-resources-low");
  /** The series of the metric, as an API on this database answers it. */
  const usedRatios = async () => {
    const logger = pino({ level: "silent" });
    const api = await startApi({
      configuration: { ...readApiConfiguration({}), port: 0 },
      engine: await engineOn(database),
      // Nothing is sent, so nothing has to listen there.
      inngest: createInngestClient({ baseUrl: "http://127.0.0.1:1", isDev: true, logger }),
      logger,
    });
    const text = await (await fetch(`${api.url}/metrics`)).text();
    await api.close();
    return text.split("\n").filter((line) => line.startsWith("synap_shared_resource_used_ratio"));
  };
  const pidOf = async (session: Sql) =>
    (await session<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`)[0]?.pid ?? 0;

  it("the queue of notifications stops no append, and the warning names the session", async () => {
    const store = createEventStore({ database, catalogue: seedCatalogue });
    await syncEventTypes(database, seedCatalogue);
    expect(await warnings()).toEqual([]);
    const listener = connect();
    for (const statement of ["LISTEN anything", "BEGIN", "SELECT 1"]) await listener.unsafe(statement);
    const flood = connect();
    const filling = async () => {
      for (;;)
        await flood.unsafe(
          "SELECT pg_notify('anything', i || repeat('x', 7000)) FROM generate_series(1, 10) AS i",
        );
    };
    await expect(filling()).rejects.toThrow("too many notifications in the NOTIFY queue");

    await database.transaction((open) => open.query("SELECT synap.post_event('task.completed', '{}')"));
    const event = note();
    expect(await store.append(event)).toMatchObject({ status: "stored" });
    expect(await store.append(event)).toMatchObject({ status: "duplicate" });
    expect((await store.readAll({ after: 0, limit: 10 })).events).toHaveLength(2);

    const pid = await pidOf(listener);
    expect(await warnings()).toEqual([
      { code: "server-resources-low", detail: expect.stringContaining(`process ${pid} of login stranger`) },
    ]);
    expect(await usedRatios()).toEqual([
      expect.stringMatching(/^synap_shared_resource_used_ratio\{resource="notifications"\} (?:0\.\d+|1)$/),
    ]);
    const [low] = await lowSharedResources(database);
    expect(low).toMatchObject({ resource: "notifications", sessions: [{ pid, database: "theirs" }] });

    await admin`SELECT pg_terminate_backend(${pid}, 10000)`;
    expect(await warnings()).toEqual([]);
    expect(await usedRatios()).toEqual([]);
    await flood.end();
    await listener.end();
  });

  it("the lock table is named in time, and has cost no accepted event once its session has ended", async () => {
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const flood = connect();
    const pid = await pidOf(flood);
    await flood.unsafe("SELECT pg_advisory_lock(i) FROM generate_series(1, 40000) AS i");
    expect(await warnings()).toEqual([
      { code: "server-resources-low", detail: expect.stringContaining(`process ${pid} of login stranger`) },
    ]);
    const filling = flood.unsafe(
      "SELECT pg_advisory_lock_shared(1, i) FROM generate_series(1, 10000000) AS i",
    );
    await expect(filling).rejects.toMatchObject({ code: "53200" });

    const event = note();
    await expect(store.append(event)).rejects.toBeInstanceOf(DatabaseUnavailableError);
    await admin`SELECT pg_terminate_backend(${pid}, 10000)`;
    expect(await store.append(event)).toMatchObject({ status: "stored" });
    expect(await warnings()).toEqual([]);
    await flood.end();
  });
});
