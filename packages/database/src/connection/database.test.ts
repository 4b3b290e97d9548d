import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import { describeOnEveryEngine, serverUrl } from "../../testing/index.ts";
import { noteEvents } from "../../testing/test-events.ts";
import { AppendContentionError, DatabaseUnavailableError, openDatabase } from "../index.ts";
import { createEventStore, isConflict, isTransient, isUnavailable, sqlState } from "../internal.ts";

describeOnEveryEngine("a database", (engine) => {
  it("converts values the same way on both engines", async () => {
    const moment = new Date("2024-02-29T12:34:56.789Z");
    const json = { text: 'a "quoted" \\ {list}', list: [1, null, { b: true }] };
    const [row] = await engine.database.query(
      `SELECT $1::bigint AS whole, $2::timestamptz AS moment, $3::text::jsonb AS json, $4::boolean AS yes,
              $5::text AS nothing, $6::text AS text, count(*) AS count, $7::float8 AS half
         FROM pg_class WHERE false`,
      [Number.MAX_SAFE_INTEGER, moment, JSON.stringify(json), true, null, "", 0.5],
    );
    expect(row).toEqual({
      whole: Number.MAX_SAFE_INTEGER,
      moment,
      json,
      yes: true,
      nothing: null,
      text: "",
      count: 0,
      half: 0.5,
    });
    const object: unknown = { a: 1 };
    await expect(engine.database.query("SELECT $1", [object as string])).rejects.toThrow(TypeError);
  });

  it("is not reported as unavailable when a statement has the wrong number of parameters", async () => {
    const { database } = engine;
    const few: unknown = await database.query("SELECT $1::text, $2::text", ["x"]).catch((error) => error);
    expect([sqlState(few), isUnavailable(few), isTransient(few)]).toEqual(["08P01", false, false]);
    const many = Array.from({ length: 65_536 }, () => 1);
    await expect(database.query("SELECT $1::integer", many)).rejects.toThrow(RangeError);
    expect(await database.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("rolls back a savepoint alone, and a transaction as a whole", async () => {
    const { database } = engine;
    const write = 'INSERT INTO synap.checkpoints (handler, "position") VALUES ($1, 1)';
    await database.transaction(async (transaction) => {
      await transaction.query(write, ["outer"]);
      const inner = transaction.savepoint(async (savepoint) => {
        await savepoint.query(write, ["inner"]);
        await savepoint.savepoint((deeper) => deeper.query("SELECT 1 / 0"));
      });
      await expect(inner).rejects.toMatchObject({ code: "22012" });
      expect(await transaction.savepoint((savepoint) => savepoint.query("SELECT 1 AS one"))).toEqual([
        { one: 1 },
      ]);
    });
    const rows = await database.query("SELECT handler FROM synap.checkpoints ORDER BY handler");
    expect(rows).toEqual([{ handler: "outer" }]);
  });

  it("runs as the application role, and as the owner only on request", async () => {
    const who = "SELECT current_user::text AS who";
    const owner = await engine.database.asOwner((transaction) => transaction.query(who));
    expect(owner).not.toEqual([{ who: "synap_app" }]);
    expect(await engine.database.query(who)).toEqual([{ who: "synap_app" }]);
    expect(await engine.database.transaction((transaction) => transaction.query(who))).toEqual([
      { who: "synap_app" },
    ]);
    await expect(
      engine.database.asOwner((transaction) => transaction.query("SELECT 1 / 0")),
    ).rejects.toThrow();
    expect(await engine.database.query(who)).toEqual([{ who: "synap_app" }]);
  });

  it("wakes listeners after an append's commit, until they stop listening", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    let woken = 0;
    const stop = await engine.database.listen("synap_appends", () => {
      woken += 1;
    });
    await store.appendBatch(noteEvents(2));
    await expect.poll(() => woken).toBe(1);
    await stop();
    await store.appendBatch(noteEvents(2));
    await new Promise((done) => setTimeout(done, 50));
    expect(woken).toBe(1);
  });
});

describeOnEveryEngine(
  "a reopened database",
  (engine) => {
    it("keeps everything across a restart, with TimescaleDB loaded before the first query", async () => {
      const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
      const days = noteEvents(5, (index) => ({
        timestamp: new Date(Date.now() - index * 86_400_000).toISOString(),
      }));
      await store.appendBatch(days);
      const [before] = await engine.database.query("SELECT count(*) FROM synap.events");
      const database = await engine.testDatabase.reopen();
      const [license] = await database.query<{ license: string }>(
        "SELECT current_setting('timescaledb.license') AS license",
      );
      expect(license?.license).toBe(database.capabilities.edition === "community" ? "timescale" : "apache");
      const [after] = await database.query("SELECT count(*) FROM synap.events");
      expect(after).toEqual(before);
      const again = createEventStore({ database, catalogue: seedCatalogue });
      expect((await again.getById(days[4]?.id ?? ""))?.id).toBe(days[4]?.id);
      expect((await again.appendBatch(noteEvents(1)))[0]?.status).toBe("stored");
    });

    it.runIf(engine.engine === "embedded")(
      "is refused to a second process, with an error that names the holder",
      async () => {
        await expect(openDatabase(engine.testDatabase.options)).rejects.toMatchObject({
          code: "DATA_DIRECTORY_IN_USE",
          processId: process.pid,
        });
        const script = `import { openDatabase } from ${JSON.stringify(fileURLToPath(new URL("../index.ts", import.meta.url)))};
      openDatabase(${JSON.stringify(engine.testDatabase.options)}).then(() => {}, (error) => console.log(error.code, error.processId));`;
        const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
        let output = "";
        child.stdout.on("data", (data) => {
          output += String(data);
        });
        await once(child, "close");
        expect(output.trim()).toBe(`DATA_DIRECTORY_IN_USE ${process.pid}`);
      },
    );
  },
  { onDisk: true },
);

describe("an unavailable database", () => {
  it("is detected within seconds when nothing listens", async () => {
    const opening = openDatabase({ url: "postgres://nobody@127.0.0.1:9/none", connectTimeout: 1000 });
    await expect(opening).rejects.toThrow(DatabaseUnavailableError);
  });

  it("is detected within seconds when the listener never answers", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : 0;
    const opening = openDatabase({ url: `postgres://nobody@127.0.0.1:${port}/none`, connectTimeout: 1000 });
    await expect(opening).rejects.toThrow(DatabaseUnavailableError);
    silent.close();
  });

  it.each([
    [{ code: "ECONNREFUSED" }, true],
    [{ code: "CONNECTION_CLOSED" }, true],
    [{ code: "57P01" }, true],
    [{ code: "53300" }, true],
    [{ code: "08006" }, true],
    [{ code: "08P01", severity: "ERROR" }, false],
    [{ code: "08P01", severity: "FATAL" }, true],
    [{ code: "23505" }, false],
    [{ code: "42P01" }, false],
    [{ code: "40001" }, false],
    [new Error("plain"), false],
    [new Error("wrapped", { cause: { code: "ECONNRESET" } }), true],
    [undefined, false],
  ])("is recognised by its codes: %o is %s", (error, unavailable) => {
    expect(isUnavailable(error)).toBe(unavailable);
  });

  it("is not the only transient failure", () => {
    expect(isTransient({ code: "40P01" }) && isConflict({ code: "40P01" })).toBe(true);
    expect(isTransient({ code: "57014" })).toBe(true);
    const contention = new AppendContentionError(6, { cause: new Error("some are stored already") });
    expect(isTransient(contention) && isConflict(contention)).toBe(true);
    expect(isTransient({ code: "23505" })).toBe(false);
    expect(sqlState(new Error("outer", { cause: { code: "23505" } }))).toBe("23505");
    expect(sqlState({ code: "EPIPE" })).toBeUndefined();
  });
});

describeOnEveryEngine("a server that drops its connections", (engine) => {
  it.runIf(engine.engine === "server")(
    "is reconnected automatically, by queries and by listeners",
    async () => {
      const { database } = engine;
      let woken = 0;
      await database.listen("synap_appends", () => {
        woken += 1;
      });
      await database.query("SELECT 1");
      await database.asOwner((transaction) =>
        transaction.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        ),
      );
      // The query that meets the dead connection may fail, but only in this way.
      await database
        .query("SELECT 1")
        .catch((error) => expect(error).toBeInstanceOf(DatabaseUnavailableError));
      await expect.poll(() => database.query("SELECT 1 AS one").catch(() => [])).toEqual([{ one: 1 }]);
      await expect.poll(() => woken).toBe(1);
      await createEventStore({ database, catalogue: seedCatalogue }).appendBatch(noteEvents(1));
      await expect.poll(() => woken).toBe(2);
    },
  );

  it.runIf(engine.engine === "server")("or freezes is given up and reconnected automatically", async () => {
    const direct = new URL(serverUrl(engine.testDatabase));
    const proxy = await startProxy(direct.hostname, Number(direct.port));
    const through = new URL(direct);
    through.port = String(proxy.port);
    const database = await openDatabase({ url: through.href, statementTimeout: 400, maxConnections: 3 });
    expect(await database.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);

    proxy.freeze();
    // Which of the two is given up first is not known, so both are awaited at once.
    await Promise.all([
      expect(database.transaction((open) => open.query("SELECT 1"))).rejects.toThrow(
        DatabaseUnavailableError,
      ),
      expect(database.query("SELECT 1")).rejects.toThrow(DatabaseUnavailableError),
    ]);

    proxy.thaw();
    await expect.poll(() => database.query("SELECT 1 AS one").catch(() => [])).toEqual([{ one: 1 }]);
    await database.close();
    proxy.close();
  });
});

/** Starts a proxy to the server that can stop delivering without closing connections. */
async function startProxy(host: string, port: number) {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const server = createServer((incoming) => {
    const outgoing = connect(port, host);
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    incoming.on("data", (data) => isFrozen || outgoing.write(data)).on("close", () => outgoing.destroy());
    outgoing.on("data", (data) => isFrozen || incoming.write(data)).on("close", () => incoming.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    freeze: () => {
      isFrozen = true;
    },
    thaw: () => {
      isFrozen = false;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
