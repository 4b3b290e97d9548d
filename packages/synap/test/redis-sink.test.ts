import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { createTestDatabase, type TestDatabase } from "@synap/database/testing";
import type { Sink } from "@synap/handlers";
import { EventDispatcher } from "@synap/handlers/internal";
import { createSynapEvent, noteCreationCompleted, seedCatalogue } from "@synap/types";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type RedisSinkDefinition, redisSink } from "../src/sinks/redis/redis-sink.ts";
import { createRedisServer, type RedisServer } from "../testing/redis-server.ts";
import { describeSink } from "../testing/sink-contract.ts";

/** A Redis, from `.ci/redis start`. */
const url = process.env["TEST_REDIS_URL"] ?? "";

let made = 0;
const run = `${process.pid}`;

/** A client that survives a server which is killed. */
function clientOf(server: string) {
  const client = createClient({ url: server, socket: { reconnectStrategy: 20 } });
  client.on("error", () => {});
  return client;
}

type Client = ReturnType<typeof clientOf>;

async function entriesOf(client: Client, stream: string) {
  const entries = (await client.xRange(stream, "-", "+")) ?? [];
  return entries.map(({ id, message }) => ({ id, event: JSON.parse(message["event"] ?? "null") }));
}

const idsOf = async (client: Client, stream: string): Promise<string[]> =>
  (await entriesOf(client, stream)).map(({ event }) => event.id);

it("refuses names and lengths that can't be", () => {
  const definition = { name: "own", description: "Takes nothing.", events: "all", url } as const;
  expect(() => redisSink({ ...definition, stream: "{orders}" })).toThrow(RangeError);
  expect(() => redisSink({ ...definition, stream: "" })).toThrow(RangeError);
  expect(() => redisSink({ ...definition, stream: "orders", maxLength: 0 })).toThrow(RangeError);
});

it("shows no password of a URL that can't be read", async () => {
  const sink = redisSink({
    name: "own",
    description: "Takes nothing.",
    events: "all",
    url: "redis://ada:hid#den@127.0.0.1:6379",
    stream: "orders",
  });
  const error: unknown = await sink.open(new AbortController().signal).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "REDIS_SINK" });
  expect(inspect(error, { depth: 5 })).not.toMatch(/hid|den@/);
});

describe.skipIf(url === "")("redisSink, with a server at TEST_REDIS_URL", () => {
  let shared: Client;
  let store: TestDatabase;
  beforeAll(async () => {
    shared = clientOf(url);
    await shared.connect();
    store = await createTestDatabase("embedded");
  });
  afterAll(async () => {
    shared.destroy();
    await store.drop();
  });

  const drop = async (client: Client, stream: string) => {
    await client.del([stream, `{${stream}}:checkpoint`, `{${stream}}:late`]);
  };

  describeSink("Redis", async () => {
    made += 1;
    const stream = `contract-${run}-${made}`;
    return {
      sink: (options, refuses) =>
        redisSink({
          ...options,
          events: [noteCreationCompleted],
          url,
          stream,
          entry(event) {
            if (refuses(event)) throw new RangeError("refused");
            return { event: JSON.stringify(event) };
          },
        }),
      arrived: async () =>
        (await entriesOf(shared, stream)).map(({ event }) => ({ id: event.id, stream: event.aggregateId })),
      close: () => drop(shared, stream),
    };
  });

  /** A sink, and what runs it. */
  function begin(options: Partial<RedisSinkDefinition<"all", string>> = {}) {
    made += 1;
    const name = `own-${run}-${made}`;
    const definition = {
      name,
      description: "Takes the events of one test.",
      events: "all",
      filter: { source: name },
      url,
      stream: name,
      ...options,
    } as const;
    const dispatcherOn = (sink: Sink) =>
      new EventDispatcher({ database: store.database, catalogue: seedCatalogue, sinks: [sink] });
    const dispatcher = dispatcherOn(redisSink(definition));
    const note = (content: string) =>
      createSynapEvent({ type: "note.creation.completed", data: { content }, source: name });
    const append = async (count: number) => {
      const events = Array.from({ length: count }, () => note("x"));
      await dispatcher.store.appendBatch(events);
      return events.map(({ id }) => id);
    };
    return { name, definition, dispatcher, dispatcherOn, append, note };
  }

  /** Runs passes until one succeeds that leaves nothing, as a worker does. */
  async function catchUp(dispatcher: EventDispatcher, name: string): Promise<void> {
    await expect
      .poll(() => dispatcher.catchUp(name).catch(() => undefined), { timeout: 20_000, interval: 10 })
      .toMatchObject({ status: "done", caughtUp: true });
  }

  it("gives an entry the position of its event as id, and the event as JSON", async () => {
    const { dispatcher, name, append } = begin();
    const [id] = await append(1);
    await dispatcher.catchUp(name);
    const { events } = await dispatcher.store.readAll({ after: 0, limit: 10, source: name });
    const [entry] = (await shared.xRange(name, "-", "+")) ?? [];
    expect(entry?.id).toBe(`${events[0]?.position}-0`);
    expect(entry?.message).toEqual({ id, type: "note.creation.completed", event: JSON.stringify(events[0]) });
    await dispatcher.stopSinks();
  });

  it("writes a stream for each type, with one checkpoint for all", async () => {
    const { dispatcher, name, note } = begin({ streamPer: "type" });
    const [first, third] = [note("a"), note("b")];
    const second = createSynapEvent({
      type: "customer.registered",
      data: { name: "Asha Rao", email: "asha@example.org" },
      source: name,
    });
    await dispatcher.store.appendBatch([first, second, third]);
    await dispatcher.catchUp(name);
    expect(await idsOf(shared, `{${name}}:note.creation.completed`)).toEqual([first.id, third.id]);
    expect(await idsOf(shared, `{${name}}:customer.registered`)).toEqual([second.id]);
    const { position } = await dispatcher.store.readAll({ after: 0, limit: 10, source: name });
    expect(await shared.hGet(`{${name}}:checkpoint`, "position")).toBe(`${position}`);
    await dispatcher.stopSinks();
  });

  it("keeps about maxLength entries", async () => {
    const { dispatcher, name, append } = begin({ maxLength: 100 });
    const ids = await append(1_000);
    await catchUp(dispatcher, name);
    const kept = await idsOf(shared, name);
    expect(kept.length).toBeLessThan(300);
    expect(kept.at(-1)).toBe(ids.at(-1));
    await dispatcher.stopSinks();
  });

  it("tries an event again whose entry Redis can't take, and writes the others", async () => {
    const { dispatcher, name, note } = begin({
      entry: ({ id, data }): Record<string, string> =>
        data["content"] === "none" ? {} : { event: JSON.stringify({ id }) },
    });
    const [first, bad, last] = [note("a"), note("none"), note("b")];
    await dispatcher.store.appendBatch([first, bad, last]);
    expect(await dispatcher.catchUp(name)).toMatchObject({
      retrying: [{ code: "range-error", event: { id: bad.id } }],
    });
    expect(await idsOf(shared, name)).toEqual([first.id, last.id]);
    await dispatcher.stopSinks();
  });

  it("refuses a stream of another sink, one that was deleted, and one that something else writes to", async () => {
    const { dispatcher, dispatcherOn, definition, name, append } = begin();
    await append(1);
    await dispatcher.catchUp(name);
    const other = dispatcherOn(redisSink({ ...definition, name: "other" }));
    await expect(other.catchUp("other")).rejects.toMatchObject({ cause: { code: "SINK_POSITION" } });
    await other.stopSinks();
    await append(1);
    const foreign = await shared.xAdd(name, "*", { event: "null" });
    await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_POSITION" } });
    expect((await entriesOf(shared, name)).map(({ id }) => id)).toEqual([expect.anything(), foreign]);
    await shared.del(name);
    await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_POSITION" } });
    expect(await shared.exists(name)).toBe(0);
    // Emptied as a whole, it is filled again.
    await drop(shared, name);
    await catchUp(dispatcher, name);
    expect(await idsOf(shared, name)).toHaveLength(2);
    await dispatcher.stopSinks();
  });

  it("refuses the checkpoint of another store", async () => {
    const { dispatcher, name, append } = begin();
    await append(1);
    await dispatcher.catchUp(name);
    await shared.hSet(`{${name}}:checkpoint`, "epoch", "1 of another store");
    await append(1);
    await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_EPOCH" } });
    await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_EPOCH" } });
    expect(await idsOf(shared, name)).toHaveLength(1);
    await dispatcher.stopSinks();
  });

  it("waits while its server can't be reached", async () => {
    const { dispatcher, name, append } = begin({ url: "redis://127.0.0.1:9" });
    await append(1);
    await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ transient: true, handler: name });
    expect(await dispatcher.deadLetters.list({ handler: name })).toEqual([]);
    await dispatcher.stopSinks();
  });

  describe("with a server that is killed", () => {
    const servers: RedisServer[] = [];
    afterAll(async () => {
      for (const server of servers) await server.remove();
    });

    async function startServer(...options: readonly string[]) {
      const server = await createRedisServer(...options);
      servers.push(server);
      await server.start();
      const client = clientOf(server.url);
      await client.connect();
      return { server, client };
    }

    it.each([
      ["what it has written to its append-only file", ["--appendonly", "yes", "--appendfsync", "always"]],
      ["nothing, without an append-only file", ["--appendonly", "no"]],
    ])("has each event once when it comes back with %s", async (_, options) => {
      const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const { server, client } = await startServer(...options);
      const { dispatcher, name, append } = begin({ url: server.url, batch: 5 });
      const ids: string[] = [];
      for (let round = 0; round < 4; round += 1) {
        ids.push(...(await append(20)));
        if (round > 0) await dispatcher.catchUp(name);
        // In the middle of a pass, whose batch may have been written.
        const pass = dispatcher.catchUp(name).catch(() => undefined);
        await server.kill();
        await pass;
        await server.start();
      }
      await catchUp(dispatcher, name);
      expect(await idsOf(client, name)).toEqual(ids);
      expect(await dispatcher.deadLetters.list({ handler: name })).toEqual([]);
      expect(warned.mock.calls.map(([, type]) => type)).toEqual(
        options.includes("no") ? ["RedisSinkWarning"] : [],
      );
      warned.mockRestore();
      client.destroy();
      await dispatcher.stopSinks();
    });

    it("fills it again from the beginning when somebody has emptied it under way", async () => {
      const { server, client } = await startServer("--appendonly", "yes");
      const { dispatcher, name, append } = begin({ url: server.url });
      const ids = await append(3);
      await dispatcher.catchUp(name);
      await client.flushAll();
      ids.push(...(await append(1)));
      await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ cause: { code: "SINK_POSITION" } });
      await catchUp(dispatcher, name);
      expect(await idsOf(client, name)).toEqual(ids);
      client.destroy();
      await dispatcher.stopSinks();
    });

    it("refuses one that removes keys, and waits for one that has no room or a password", async () => {
      const { server, client } = await startServer("--appendonly", "yes");
      const { dispatcher, name, append } = begin({ url: server.url });
      const ids = await append(2);
      await client.configSet("maxmemory-policy", "allkeys-lru");
      await expect(dispatcher.catchUp(name)).rejects.toMatchObject({
        transient: false,
        cause: { code: "REDIS_SINK", message: expect.stringContaining("maxmemory-policy is allkeys-lru") },
      });
      await client.configSet({ "maxmemory-policy": "noeviction", maxmemory: "1" });
      await expect(dispatcher.catchUp(name)).rejects.toMatchObject({ transient: true });
      expect(await client.exists(name)).toBe(0);
      await client.configSet({ maxmemory: "0", requirepass: "secret" });
      await expect(dispatcher.catchUp(name)).rejects.toThrow();
      await dispatcher.stopSinks();
      const open = begin({ url: server.url.replace("//", "//:secret@"), filter: { source: name } });
      await open.dispatcher.catchUp(open.name);
      expect(await idsOf(client, open.name)).toEqual(ids);
      client.destroy();
      await open.dispatcher.stopSinks();
    });

    it("feeds the consumer group that the page shows, which gets again what it has not acknowledged", async () => {
      const { server, client } = await startServer("--appendonly", "yes");
      const { dispatcher, name, note } = begin({
        url: server.url,
        stream: "orders",
        entry: ({ data }): Record<string, string> => ({
          event: JSON.stringify({ data: { customer: data["content"] ?? "" } }),
        }),
      });
      await dispatcher.store.appendBatch([note("ada"), note("grace")]);
      await dispatcher.catchUp(name);
      // The consumer has died after it got the first entry.
      await client.xGroupCreate("orders", "mails", "0");
      await client.xReadGroup("mails", "mails-1", { key: "orders", id: ">" }, { COUNT: 1 });
      const page = readFileSync(new URL("../../../docs/sinks.md", import.meta.url), "utf8");
      const [, program = ""] = /```ts\n(\/\/ order-mails\.ts\n.*?)```/s.exec(page) ?? [];
      const folder = mkdtempSync(join(tmpdir(), "synap-consumer-"));
      symlinkSync(join(import.meta.dirname, "../node_modules"), join(folder, "node_modules"));
      writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
      writeFileSync(join(folder, "order-mails.ts"), program);
      const consumer = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), "order-mails.ts"], {
        cwd: folder,
        env: { ...process.env, FEED_REDIS_URL: server.url },
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(consumer, "exit");
      const lines: string[] = [];
      for await (const line of createInterface({ input: consumer.stdout })) {
        lines.push(line);
        if (lines.length === 3) break;
        if (lines.length === 2) {
          await dispatcher.store.appendBatch([note("joan")]);
          await dispatcher.catchUp(name);
        }
      }
      expect(lines).toEqual(["a mail to ada", "a mail to grace", "a mail to joan"]);
      await expect.poll(async () => (await client.xPending("orders", "mails")).pending).toBe(0);
      consumer.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
      const [, command = ""] = /```sh\n(redis-cli .*?)\n```/s.exec(page) ?? [];
      const emptied = spawnSync("bash", ["-c", command], {
        env: { ...process.env, FEED_REDIS_URL: server.url },
      });
      expect(emptied.status).toBe(0);
      expect(await client.keys("*")).toEqual([]);
      await dispatcher.store.appendBatch([note("mary")]);
      await catchUp(dispatcher, name);
      expect(await client.xLen("orders")).toBe(4);
      client.destroy();
      await dispatcher.stopSinks();
    });

    it("is given up after its time limit when it does not answer", async () => {
      const { server, client } = await startServer("--appendonly", "yes");
      const { dispatcher, name, append } = begin({ url: server.url, timeoutMs: 300 });
      const ids = await append(1);
      await dispatcher.catchUp(name);
      ids.push(...(await append(1)));
      await client.sendCommand(["CLIENT", "PAUSE", "60000", "WRITE"]);
      await expect(dispatcher.catchUp(name)).rejects.toMatchObject({
        transient: true,
        cause: { code: "SINK_TIMEOUT" },
      });
      await client.sendCommand(["CLIENT", "UNPAUSE"]);
      await catchUp(dispatcher, name);
      expect(await idsOf(client, name)).toEqual(ids);
      client.destroy();
      await dispatcher.stopSinks();
    });
  });
});
