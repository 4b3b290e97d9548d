import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:net";
import { createTestDatabase, type TestDatabase } from "@synap/database/testing";
import { EventDispatcher } from "@synap/handlers/internal";
import { createSynapEvent, noteCreationCompleted, seedCatalogue } from "@synap/types";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { MAX_RETRY_AFTER_MS, pauseOf, type WebhookAttempt } from "../src/sinks/webhook-delivery.ts";
import { resolvedWebhookSink, type WebhookSinkDefinition, webhookSink } from "../src/sinks/webhook-sink.ts";
import type { Resolver } from "../src/sinks/webhook-target.ts";
import { describeSink } from "../testing/sink-contract.ts";
import { type Answer, type Received, startReceiver } from "../testing/webhook-receiver.ts";

const secret = `whsec_${randomBytes(32).toString("base64")}`;
const secrets = () => [secret];
const here = (port: number) => ({ allow: ["127.0.0.1"], http: true, ports: [port] });

describeSink("a webhook", async () => {
  let refuses: (id: string) => boolean = () => false;
  const receiver = await startReceiver(({ id }) => (refuses(id) ? 422 : 200));
  return {
    sink: (options, refusesEvent) => {
      refuses = (id) => refusesEvent({ id } as Parameters<typeof refusesEvent>[0]);
      return webhookSink({
        ...options,
        events: [noteCreationCompleted],
        url: `http://127.0.0.1:${receiver.port}/hooks`,
        secrets,
        // All events in the order of the log.
        concurrency: 1,
        network: here(receiver.port),
      });
    },
    arrived: async () => receiver.taken,
    close: () => receiver.kill(),
  };
});

describe("webhookSink", () => {
  let store: TestDatabase;
  const cleanups: (() => Promise<void>)[] = [];
  let made = 0;
  beforeAll(async () => {
    store = await createTestDatabase("embedded");
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(() => store.drop());

  type Options = Partial<WebhookSinkDefinition<readonly [typeof noteCreationCompleted], string>>;

  /** A sink, its receiver, and what runs it. */
  async function begin(
    answer: (request: Received) => Answer | Promise<Answer> = () => 200,
    options: Options = {},
    resolve?: Resolver,
  ) {
    made += 1;
    const name = `webhook-${made}`;
    const receiver = await startReceiver(answer);
    cleanups.push(() => receiver.kill());
    const attempts: WebhookAttempt[] = [];
    const definition = {
      name,
      description: "Takes the events of one test.",
      events: [noteCreationCompleted] as const,
      filter: { source: name },
      url: `http://127.0.0.1:${receiver.port}/hooks?key=hidden`,
      secrets,
      network: here(receiver.port),
      onAttempt: (attempt: WebhookAttempt) => void attempts.push(attempt),
      ...options,
    };
    const sink = resolvedWebhookSink(definition, resolve);
    const { database } = store;
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      sinks: [sink],
      maxAttempts: 1,
    });
    cleanups.push(() => dispatcher.stopSinks());
    const append = async (...streams: readonly string[]) => {
      const events = streams.map((stream) =>
        createSynapEvent({
          type: "note.creation.completed",
          aggregateId: `${name}-${stream}`,
          userId: "ada",
          source: name,
          metadata: { device: "phone" },
          data: { content: stream },
        }),
      );
      await dispatcher.store.appendBatch(events);
      return events.map(({ id }) => id);
    };
    const pass = () => dispatcher.catchUp(name);
    const deadLetters = () => dispatcher.deadLetters.list({ handler: name });
    const idsOf = (requests: readonly Received[]) => requests.map(({ id }) => id);
    const failure = () =>
      pass().then(
        () => undefined,
        (error: { readonly transient: boolean; readonly cause: Error }) => error,
      );
    return {
      name,
      receiver,
      attempts,
      append,
      pass,
      failure,
      deadLetters,
      taken: () => idsOf(receiver.taken),
      received: () => idsOf(receiver.received),
    };
  }

  it("sends the event, signed, with its id and without its user and its metadata", async () => {
    const { append, pass, receiver } = await begin();
    const [id = ""] = await append("a");
    await pass();
    const [request] = receiver.received;
    expect(request?.headers).toMatchObject({ "webhook-id": id, "content-type": "application/json" });
    const headers = Object.entries(request?.headers ?? {}).filter(([name]) => name.startsWith("webhook-"));
    const body = new Webhook(secret).verify(
      request?.body ?? "",
      Object.fromEntries(headers) as Record<string, string>,
    );
    expect(body).toEqual({
      id,
      type: "note.creation.completed",
      schemaVersion: 1,
      timestamp: expect.any(String),
      aggregateType: "note",
      aggregateId: expect.stringMatching(/-a$/),
      streamVersion: 1,
      position: expect.any(Number),
      data: { content: "a" },
    });
  });

  it("reports each attempt, without the answer", async () => {
    let isDown = true;
    const { append, pass, attempts, failure, name } = await begin(() => (isDown ? 503 : 204));
    const [id] = await append("a");
    await failure();
    isDown = false;
    await pass();
    const facts = { sink: name, eventId: id, at: expect.any(String), durationMs: expect.any(Number) };
    expect(attempts).toMatchObject([
      { ...facts, attempt: 1, status: 503 },
      { ...facts, attempt: 2, status: 204 },
    ]);
  });

  it("sends several streams at a time, and the events of one in order", async () => {
    let [waiting, most] = [0, 0];
    const open: (() => void)[] = [];
    const { append, pass, receiver } = await begin(async () => {
      waiting += 1;
      most = Math.max(most, waiting);
      // The first four are answered together.
      if (open.length < 3 && most < 4) await new Promise<void>((resolve) => open.push(resolve));
      else for (const each of open.splice(0)) each();
      waiting -= 1;
      return 200;
    });
    const ids = await append("a", "b", "c", "d", "a", "b", "a");
    await pass();
    expect(most).toBe(4);
    const ofStream = (stream: string) => receiver.taken.filter((each) => each.stream.endsWith(stream));
    expect(ofStream("-a").map(({ id }) => id)).toEqual([ids[0], ids[4], ids[6]]);
    expect(receiver.taken).toHaveLength(7);
    expect(receiver.connections).toBe(4);
  });

  it("waits for a receiver that is down, and sends nothing twice that was taken", async () => {
    const { append, pass, failure, receiver, taken, received, deadLetters } = await begin(undefined, {
      concurrency: 1,
    });
    await append("a");
    await pass();
    await receiver.kill();
    const ids = await append("a", "b", "c");
    expect(await failure()).toMatchObject({
      transient: true,
      cause: { message: expect.stringMatching(/gave no answer: ECONNREFUSED\.$/) },
    });
    await receiver.revive();
    await pass();
    expect(taken().slice(1)).toEqual(ids);
    expect(received()).toHaveLength(4);
    expect(await deadLetters()).toEqual([]);
  });

  const breaks: readonly (readonly [string, Answer, RegExp])[] = [
    ["hangs", () => {}, /gave no answer: WEBHOOK_TIMEOUT\.$/],
    [
      "answers slower and slower",
      (response) => void response.socket?.write("HTTP/1.1 200"),
      /WEBHOOK_TIMEOUT\.$/,
    ],
    ["resets the connection", (_, socket) => void socket.resetAndDestroy(), /gave no answer: ECONNRESET\.$/],
    ["ends the connection", (_, socket) => void socket.end(), /gave no answer: ECONNRESET\.$/],
    [
      "answers with something else",
      (_, socket) => void socket.end("220 mail ready\r\n\r\n"),
      /no answer: HPE_/,
    ],
    [
      "has too many headers",
      (_, socket) => void socket.end(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(40_000)}\r\n\r\n`),
      /HPE_/,
    ],
    ["is busy", 503, /answered 503\.$/],
    ["has had too much", 429, /answered 429\.$/],
    ["fails with everything", 500, /answered 500\.$/],
    ["knows nobody", 401, /answered 401\.$/],
    [
      "is elsewhere",
      (response) => void response.writeHead(307, { location: "/elsewhere" }).end(),
      /answered 307\.$/,
    ],
  ];
  it.each(breaks)(
    "keeps everything while the receiver %s, and goes on where that began",
    async (_, broken, message) => {
      let count = 0;
      const { append, pass, failure, taken, received, deadLetters } = await begin(
        () => {
          count += 1;
          return count === 1 ? broken : 200;
        },
        { concurrency: 1, requestTimeoutMs: 300 },
      );
      const ids = await append("a");
      const error = await failure();
      expect(error).toMatchObject({ transient: true, cause: { message: expect.stringMatching(message) } });
      expect(JSON.stringify([error, error?.cause.message])).not.toMatch(/hidden|127\.0\.0\.1|whsec_/);
      await pass();
      expect(taken()).toEqual(ids);
      expect(received()).toHaveLength(2);
      expect(await deadLetters()).toEqual([]);
    },
  );

  it("tries again at once when the receiver has ended a connection that was kept", async () => {
    let count = 0;
    const { append, pass, taken, received } = await begin(() => {
      count += 1;
      return count === 2 ? (_, socket) => void socket.resetAndDestroy() : 200;
    });
    const ids = await append("a", "a", "a");
    await pass();
    expect(taken()).toEqual(ids);
    expect(received()).toHaveLength(4);
  });

  it("does not send again the events before a failure", async () => {
    const broken = new Set<string>();
    const { append, pass, failure, taken, received } = await begin(
      ({ id }) => (broken.delete(id) ? 503 : 200),
      {
        concurrency: 1,
      },
    );
    const ids = await append("a", "b", "c", "d");
    broken.add(ids[2] ?? "");
    await failure();
    expect(taken()).toEqual(ids.slice(0, 2));
    await pass();
    expect(taken()).toEqual(ids);
    expect(received()).toHaveLength(5);
  });

  it("makes an event a dead letter that alone is answered with an error, while others are taken", async () => {
    const bad = new Set<string>();
    const { append, pass, deadLetters, taken } = await begin(({ id }) => (bad.has(id) ? 500 : 200));
    const [first, poison, behind, other] = await append("a", "b", "b", "c");
    bad.add(poison ?? "");
    await pass();
    expect(taken().sort()).toEqual([first, other].sort());
    expect(await deadLetters()).toMatchObject([
      {
        eventId: poison,
        code: "webhook-refused",
        reason: expect.stringMatching(/with status 500\.$/),
        parked: 1,
      },
    ]);
    expect(behind).toBeDefined();
  });

  it("makes an event a dead letter whose content is refused, whatever else there is", async () => {
    for (const status of [400, 413, 415, 422]) {
      const { append, pass, deadLetters } = await begin(() => status);
      const [only] = await append("a");
      await pass();
      expect(await deadLetters()).toMatchObject([{ eventId: only, code: "webhook-refused" }]);
    }
  });

  it("sends nothing before the moment that Retry-After names", async () => {
    const { append, failure, received } = await begin(() => (response) => {
      response.writeHead(429, { "retry-after": "120" }).end("Try later.");
    });
    await append("a", "b");
    await failure();
    const requests = received().length;
    expect(await failure()).toMatchObject({
      transient: true,
      cause: { message: expect.stringMatching(/wants nothing for another 1(20|19) s\.$/) },
    });
    expect(received()).toHaveLength(requests);
  });

  it("reads Retry-After as seconds or a date, and takes an hour at most", () => {
    const now = Date.parse("2026-11-28T12:00:00Z");
    expect(pauseOf("7", now)).toBe(7_000);
    expect(pauseOf("Sat, 28 Nov 2026 12:00:30 GMT", now)).toBe(30_000);
    expect(pauseOf("Sat, 28 Nov 2026 11:00:00 GMT", now)).toBe(0);
    for (const text of [undefined, "", "soon", "-5"]) expect(pauseOf(text, now), text).toBe(0);
    for (const text of ["86400", "9".repeat(400), "Sat, 28 Nov 2037 12:00:30 GMT"])
      expect(pauseOf(text, now), text).toBe(MAX_RETRY_AFTER_MS);
  });

  it("sends nothing more to a receiver that answered 410, and loses nothing", async () => {
    const { append, failure, received, deadLetters } = await begin(() => 410, { concurrency: 1 });
    await append("a", "b");
    for (let again = 0; again < 3; again += 1)
      expect(await failure()).toMatchObject({ cause: { code: "WEBHOOK_GONE" } });
    expect(received()).toHaveLength(1);
    expect(await deadLetters()).toEqual([]);
  });

  it("reads no more of an answer than it needs", async () => {
    const { append, pass, taken, receiver } = await begin((request) => (response, socket) => {
      if (request !== receiver.received[0]) return void response.end();
      response.writeHead(200);
      const write = () => {
        if (!socket.destroyed && response.write(Buffer.alloc(64 * 1024))) setImmediate(write);
      };
      response.on("drain", write);
      write();
      socket.once("close", () => void ended.push(socket));
    });
    const ended: unknown[] = [];
    const ids = await append("a", "b");
    await pass();
    await expect.poll(() => ended.length).toBe(1);
    expect(receiver.received.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(taken()).toEqual([]);
  });

  it("begins behind the position that it is given", async () => {
    const before = await begin();
    const source = before.name;
    await before.append("a", "b");
    await before.pass();
    const first = before.receiver.received[0];
    const { position } = JSON.parse(first?.body.toString() ?? "{}");
    const again = await begin(undefined, { filter: { source }, after: position });
    // It does not read what is before: that may be archived, or a large part of a long log.
    expect(await again.pass()).toMatchObject({ status: "done", processed: 1 });
    expect(again.received()).toEqual(before.received().slice(1));
  });

  it("refuses a name whose address changes to one of this network, before anything is sent", async () => {
    const asked: string[] = [];
    let address = "127.0.0.1";
    const rebinding: Resolver = (name, _options, answer) => {
      asked.push(name);
      answer(null, [{ address, family: 4 }]);
    };
    const inner = await startReceiver();
    cleanups.push(() => inner.kill());
    const network = { allow: ["127.0.0.1/32"], http: true, ports: [inner.port] };
    const url = `http://hooks.example.org:${inner.port}/`;
    const { append, pass, failure } = await begin(undefined, { network, url }, rebinding);
    await append("a");
    await pass();
    expect(inner.received).toHaveLength(1);
    // One question for a connection: an answer that is given after the check is never used.
    expect(asked).toEqual(["hooks.example.org"]);
    expect(inner.received[0]?.headers.host).toBe(`hooks.example.org:${inner.port}`);
    await inner.kill();
    await inner.revive();
    address = "127.0.0.2";
    await append("b");
    expect(await failure()).toMatchObject({ cause: { code: "WEBHOOK_ADDRESS" } });
    expect(inner.received).toHaveLength(1);
  });

  it("refuses addresses of this machine unless they are allowed", async () => {
    const { append, failure, receiver } = await begin(undefined, {
      network: {},
      url: () => `https://127.0.0.1:${receiver.port}/`,
    });
    await append("a");
    expect(await failure()).toMatchObject({ cause: { code: "WEBHOOK_ADDRESS" } });
    expect(receiver.connections).toBe(0);
  });

  it("speaks TLS, and only with a receiver whose certificate is trusted and that answers in time", async () => {
    let server: Server | undefined;
    cleanups.push(() => new Promise((resolve) => void server?.close(() => resolve())));
    const port = await new Promise<number>((resolve) => {
      server = createServer((socket) => void socket.on("error", () => {}).resume());
      server.listen(0, "127.0.0.1", () => {
        const bound = server?.address();
        resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
      });
    });
    const { append, failure } = await begin(undefined, {
      url: `https://127.0.0.1:${port}/`,
      network: { allow: ["127.0.0.1"], ports: [port] },
      requestTimeoutMs: 300,
    });
    await append("a");
    expect(await failure()).toMatchObject({
      transient: true,
      cause: { cause: { code: "WEBHOOK_TIMEOUT" } },
    });
  });

  it("needs secrets, and numbers within bounds", async () => {
    const { append, failure, received } = await begin(undefined, { secrets: () => ["whsec_hidden"] });
    await append("a");
    const error = await failure();
    expect(error).toMatchObject({ cause: { code: "WEBHOOK_SECRET" } });
    expect(String(error?.cause)).not.toContain("hidden");
    expect(received()).toEqual([]);
    const definition = {
      name: "x",
      description: "x",
      events: "all",
      url: "https://example.org",
      secrets,
    } as const;
    for (const wrong of [
      { concurrency: 0 },
      { concurrency: 33 },
      { after: -1 },
      { requestTimeoutMs: 20_000 },
      { batch: 0 },
    ])
      expect(() => webhookSink({ ...definition, ...wrong }), JSON.stringify(wrong)).toThrow(RangeError);
  });
});
