import { createHash } from "node:crypto";
import { postChunked, requestRaw, UNSOUND_FRAMING } from "@synap/http/testing";
import { afterEach, describe, expect, it } from "vitest";
import {
  InngestKeysError,
  type InngestLocal,
  type InngestLocalOptions,
  startInngestLocal,
} from "../src/index.ts";
import { openEmbedded } from "./queue-databases.ts";
import { openTestApp, type TestApp, testClient } from "./test-app.ts";
import { until } from "./until.ts";

const signingKey = "c0ffee42".repeat(8);
const hash = createHash("sha256").update(Buffer.from(signingKey, "hex")).digest("hex");
const keyed = { keys: { signingKey, eventKeys: ["the-key"] } } as const;
const json = { "content-type": "application/json" };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function ask(url: string, method: string, headers: Record<string, string> = {}, body = "") {
  return requestRaw(url, { method, headers, body });
}

function registration(name: string, url: string, functions: string[]): string {
  return JSON.stringify({
    url,
    appName: name,
    functions: functions.map((id) => ({
      id,
      name: id,
      triggers: [{ event: "c/a" }],
      steps: { step: { id: "step", runtime: { type: "http", url: `${url}?fnId=${id}&stepId=step` } } },
    })),
  });
}

async function start(options: Partial<InngestLocalOptions> = {}) {
  const { database, close } = await openEmbedded();
  cleanups.push(close);
  const app = await openTestApp();
  cleanups.push(() => app.close());
  const warnings: { details: object; message: string }[] = [];
  const server = await startInngestLocal({
    database,
    ...keyed,
    port: 0,
    appUrls: [app.url],
    retryDelays: 50,
    registerInterval: 50,
    logger: {
      info: () => undefined,
      warn: (details, message) => warnings.push({ details, message }),
      error: () => undefined,
    },
    ...options,
  });
  cleanups.push(() => server.stop());
  /** Reads all state that a caller could change. */
  const state = async () => [
    await database.query("SELECT name, url, functions FROM inngest_local.apps ORDER BY name"),
    await database.query(
      "SELECT id FROM inngest_local.events UNION SELECT id FROM inngest_local.runs ORDER BY id",
    ),
  ];
  return { server, app, warnings, state, query: (text: string) => database.query(text) };
}

/** Registers a function that records the data of its events. */
async function serveOne(app: TestApp, server: InngestLocal, isDev = false): Promise<unknown[]> {
  const client = testClient("mine", server.url, isDev ? {} : { isDev, eventKey: "the-key", signingKey });
  const seen: unknown[] = [];
  app.serve(client, [
    client.createFunction({ id: "fn", triggers: [{ event: "c/a" }], retries: 20 }, async ({ event }) => {
      seen.push(event.data["k"]);
    }),
  ]);
  await server.ready();
  return seen;
}

const event = JSON.stringify([{ name: "c/a", data: { k: "foreign" }, id: "foreign" }]);

/** Requests that a foreign web page can make a browser send, also through a name rebound to 127.0.0.1. */
const foreign: readonly (readonly [string, Record<string, string>, number])[] = [
  ["a page's form or simple request", { "content-type": "text/plain", origin: "https://evil.example" }, 403],
  ["a page without an origin", { "content-type": "text/plain" }, 415],
  [
    "a page of a rebound name",
    { ...json, host: "evil.example:8288", origin: "http://evil.example:8288" },
    403,
  ],
  ["a page of another port here", { ...json, origin: "http://127.0.0.1:5173" }, 403],
  ["a frame without an origin", { ...json, origin: "null" }, 403],
  ["a browser that names the other site", { ...json, "sec-fetch-site": "cross-site" }, 403],
];

describe("a local broker", () => {
  it("refuses malformed HTTP, on every route", async () => {
    const { server } = await start();
    for (const path of ["/e/the-key", "/fn/register", "/v1/checkpoint/run/async"]) {
      for (const [headers, status] of UNSOUND_FRAMING) {
        const response = await postChunked(server.url, path, headers, "[]");
        expect([path, headers, response]).toEqual([
          path,
          headers,
          expect.stringMatching(new RegExp(`^HTTP/1.1 ${status} `)),
        ]);
      }
    }
  });

  it("bounds every body, in bytes, in values and in depth", async () => {
    const { server, app } = await start({ maxRequestBytes: 4_000_000 });
    await serveOne(app, server);
    const authorization = `Bearer signkey-prod-${hash}`;
    const list = (body: string) => `[${body}]`;
    const bodies = [
      [413, "bytes", JSON.stringify("x".repeat(4_000_000))],
      [400, "values", list("0,".repeat(1_600_000).slice(0, -1))],
      [400, "deeper", "[".repeat(257) + "]".repeat(257)],
    ] as const;
    for (const path of ["/e/the-key", "/fn/register", "/v1/checkpoint/run/async"]) {
      for (const [status, reason, body] of bodies) {
        const response = await ask(server.url + path, "POST", { ...json, authorization }, body);
        expect([path, response.status]).toEqual([path, status]);
        expect(response.body).toContain(reason);
      }
    }
  });
});

describe("a local broker with keys", () => {
  it("refuses requests of foreign web pages, even with the right key", async () => {
    const { server, app, state } = await start();
    const seen = await serveOne(app, server);
    const before = await state();
    const bearer = { authorization: `Bearer signkey-prod-${hash}` };
    const taken = registration("mine", "http://evil.example/api", ["mine-fn"]);
    for (const [who, headers, status] of foreign) {
      for (const [path, body] of [
        ["/e/the-key", event],
        ["/fn/register", taken],
        ["/v1/checkpoint/01ARZ/async", '{"steps":[]}'],
      ] as const) {
        const response = await ask(server.url + path, "POST", { ...headers, ...bearer }, body);
        expect([who, path, response.status]).toEqual([who, path, status]);
      }
    }
    expect(await state()).toEqual(before);
    expect(seen).toEqual([]);
  });

  it("refuses registrations without its key, and events with another one", async () => {
    const { server, app, state } = await start();
    const seen = await serveOne(app, server);
    const before = await state();
    const body = registration("mine", "http://127.0.0.1:1/api", ["mine-fn"]);
    for (const authorization of [
      undefined,
      "Bearer undefined",
      `Bearer ${signingKey}`,
      `Bearer ${hash.slice(2)}00`,
    ]) {
      const headers = { ...json, ...(authorization === undefined ? {} : { authorization }) };
      expect((await ask(`${server.url}/fn/register`, "POST", headers, body)).status).toBe(401);
      expect((await ask(`${server.url}/v1/checkpoint/x/async`, "POST", headers, '{"steps":[]}')).status).toBe(
        401,
      );
    }
    for (const key of ["NO_EVENT_KEY_SET", "the-ke", "the-keyy", signingKey]) {
      expect((await ask(`${server.url}/e/${key}`, "POST", json, event)).status).toBe(401);
    }
    expect(await state()).toEqual(before);
    expect((await ask(`${server.url}/e/the-key`, "POST", json, event)).status).toBe(200);
    await until("the event with the right key has arrived", () => seen.length === 1);
  });

  it("logs when an app moves or drops functions, and lets no app register another's", async () => {
    const { server, warnings, state } = await start({ appUrls: [] });
    const headers = { ...json, authorization: `Bearer ${hash}` };
    const register = (...given: Parameters<typeof registration>) =>
      ask(`${server.url}/fn/register`, "POST", headers, registration(...given));
    const here = "http://127.0.0.1:1/api";
    expect((await register("mine", here, ["mine-one", "mine-two"])).status).toBe(200);
    expect(warnings).toEqual([]);
    expect((await register("mine", "http://127.0.0.1:2/api", ["mine-one"])).status).toBe(200);
    expect(warnings).toEqual([
      { details: { app: "mine", movedFrom: here }, message: expect.stringContaining("another URL") },
      {
        details: { app: "mine", dropped: ["mine-two"] },
        message: expect.stringContaining("without some of its earlier functions"),
      },
    ]);
    const before = await state();
    const other = await register("other", here, ["mine-one"]);
    expect([other.status, other.body]).toEqual([
      400,
      expect.stringContaining('does not begin with \\"other-\\"'),
    ]);
    expect((await register("mine-one", here, ["mine-one-x"])).status).toBe(200);
    const same = await register("min", here, ["mine-one"]);
    expect([same.status, same.body]).toEqual([400, expect.stringContaining("does not begin with")]);
    const owned = await register("mine", here, ["mine-one", "mine-one-x"]);
    expect([owned.status, owned.body]).toEqual([
      400,
      expect.stringContaining('the app \\"mine-one\\" has registered it'),
    ]);
    expect((await register("mine", "file:///etc/passwd", ["mine-one"])).status).toBe(400);
    expect((await state())[0]).toEqual(expect.arrayContaining(before[0] ?? []));
  });

  it("ends no run on a response that the app has not signed", async () => {
    const { server, app } = await start();
    const seen = await serveOne(app, server);
    const client = testClient("mine", server.url, { isDev: false, eventKey: "the-key", signingKey });
    app.answerInstead(
      () => new Response("[]", { status: 200, headers: { "x-inngest-sdk": "inngest-js:v4" } }),
    );
    await client.send({ name: "c/a", data: { k: "mine" } });
    await until("the impostor was called twice", () => app.calls.length >= 2);
    expect(seen).toEqual([]);
    app.answerInstead(undefined);
    await until("the app itself was called", () => seen.length === 1);
    expect(seen).toEqual(["mine"]);
  });

  it("keeps the calls, and their attempts, of an app that rejects its signature", async () => {
    const { server, app, query } = await start();
    const seen = await serveOne(app, server);
    const client = testClient("mine", server.url, { isDev: false, eventKey: "the-key", signingKey });
    app.answerInstead(() => new Response('{"message":"Unauthorized"}', { status: 401 }));
    await client.send({ name: "c/a", data: { k: "mine" } });
    await until("it was called three times", () => app.calls.length >= 3);
    expect(await query("SELECT attempt FROM inngest_local.jobs")).toEqual([{ attempt: 0 }]);
    app.answerInstead(undefined);
    await until("it ran", () => seen.length === 1);
  });

  it("shows runs to everybody, and errors of functions only to holders of the key", async () => {
    const { server, app } = await start();
    const client = testClient("mine", server.url, { isDev: false, eventKey: "the-key", signingKey });
    app.serve(client, [
      client.createFunction({ id: "fn", triggers: [{ event: "c/a" }], retries: 0 }, async () => {
        throw new Error("somebody's address");
      }),
    ]);
    await server.ready();
    await client.send({ name: "c/a", data: {} });
    const password = (text: string) => ({
      authorization: `Basic ${Buffer.from(`me:${text}`).toString("base64")}`,
    });
    const results = await until("the result is there", async () => {
      const page = await ask(`${server.url}/results`, "GET", password(`signkey-prod-${signingKey}`));
      return page.body.includes("somebody&#39;s address") && page;
    });
    expect(results.status).toBe(200);
    const anybody = await ask(server.url, "GET");
    expect(anybody.body).toContain("mine-fn");
    expect(anybody.body).not.toContain("somebody");
    for (const headers of [{}, password("wrong"), password(""), password(hash)]) {
      const refused = await ask(`${server.url}/results`, "GET", headers);
      expect([refused.status, refused.headers["www-authenticate"]]).toEqual([
        401,
        expect.stringMatching(/^Basic /),
      ]);
      expect(refused.body).not.toContain("somebody");
    }
    for (const page of [anybody, results]) {
      expect(page.headers).toMatchObject({
        "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
      });
    }
  });

  it("answers under its configured names beyond loopback, and under no other", async () => {
    const { server } = await start({ host: "0.0.0.0", hostNames: ["broker"], appUrls: [] });
    const url = server.url.replace("0.0.0.0", "127.0.0.1");
    for (const host of ["broker:8288", "10.1.2.3:8288", "localhost"]) {
      expect((await ask(`${url}/health`, "GET", { host })).status, host).toBe(200);
    }
    for (const host of ["evil.example", "broker.evil.example"]) {
      expect((await ask(`${url}/health`, "GET", { host })).status, host).toBe(403);
    }
  });
});

describe("a local broker without keys", () => {
  it("starts only with keys set to none, and on a loopback address", async () => {
    const { database, close } = await openEmbedded();
    cleanups.push(close);
    const begin = (options: object) =>
      startInngestLocal({ database, keys: undefined, port: 0, appUrls: [], ...options } as never);
    await expect(begin({})).rejects.toThrow(InngestKeysError);
    await expect(begin({ keys: { signingKey, eventKeys: [] } })).rejects.toThrow(InngestKeysError);
    await expect(begin({ keys: { signingKey: "secret!", eventKeys: ["x"] } })).rejects.toThrow(
      InngestKeysError,
    );
    await expect(begin({ keys: "none", host: "0.0.0.0" })).rejects.toThrow(/loopback/);
    const server = await begin({ keys: "none", host: "localhost" });
    await server.stop();
  });

  it("refuses requests of foreign web pages too", async () => {
    const { server, app, state } = await start({ keys: "none" });
    await serveOne(app, server, true);
    const before = await state();
    const taken = registration("mine", "http://evil.example/api", ["mine-fn"]);
    for (const [who, headers, status] of foreign) {
      for (const [path, body] of [
        ["/e/x", event],
        ["/fn/register", taken],
      ] as const) {
        const response = await ask(server.url + path, "POST", headers, body);
        expect([who, path, response.status]).toEqual([who, path, status]);
      }
    }
    expect(await state()).toEqual(before);
  });
});
