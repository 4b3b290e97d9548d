import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { listen } from "@synap/http";
import { everythingOn, openConnection } from "@synap/http/testing";
import { describe, expect, it, vi } from "vitest";
import { readApiConfiguration } from "../configuration.ts";
import { listenHttp } from "./http-server.ts";

const LOCAL = { ...readApiConfiguration({}), port: 0 };
const DAY_MS = 86_400_000;

describe("the HTTP server", () => {
  it("serves the requests of a connection one after the other, and those of others meanwhile", async () => {
    const served: string[] = [];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = await listenHttp(async ({ url }) => {
      const { pathname } = new URL(url);
      served.push(pathname);
      if (pathname === "/1") await released;
      return new Response(`answer ${pathname}\n`);
    }, LOCAL);
    const socket = await openConnection(server.url);
    const arriving = everythingOn(socket);
    const asked = ["/1", "/2", "/3", "/4"];
    socket.write(asked.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(""));
    expect(await (await fetch(`${server.url}/other`)).text()).toBe("answer /other\n");
    expect(served).toEqual(["/1", "/other"]);
    release();
    await expect.poll(() => served).toEqual(["/1", "/other", "/2", "/3", "/4"]);
    await server.close();
    expect((await arriving).match(/answer .*/g)).toEqual(asked.map((path) => `answer ${path}`));
  });

  it("finishes requests in flight when it closes, and refuses new ones", async () => {
    const arrival = new AbortController();
    const closing = new AbortController();
    const isInFlight = once(arrival.signal, "abort");
    const server = await listenHttp(async () => {
      const isClosing = once(closing.signal, "abort");
      arrival.abort();
      await isClosing;
      return new Response("done");
    }, LOCAL);
    const inFlight = fetch(`${server.url}/`);
    await isInFlight;
    const closed = server.close();
    closing.abort();
    await expect(inFlight.then((response) => response.text())).resolves.toBe("done");
    await closed;
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it("does not wait for idle kept-alive connections", async () => {
    const server = await listenHttp(() => new Response("ok"), { ...LOCAL, keepAliveMs: DAY_MS });
    const agent = new Agent({ keepAlive: true });
    await new Promise((resolve) => {
      request(server.url, { agent }, (response) => response.resume().on("end", resolve)).end();
    });
    // So that the grace period of requests in flight does not end it either.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    try {
      await server.close();
    } finally {
      vi.useRealTimers();
      agent.destroy();
    }
  });

  it("reports an address that is in use", async () => {
    const server = await listenHttp(() => new Response("ok"), LOCAL);
    const port = Number(new URL(server.url).port);
    await expect(listenHttp(() => new Response("ok"), { ...LOCAL, port })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    await server.close();
  });
});

const HEAD = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

describe("the time limits", () => {
  const LIMIT_MS = 400;

  /** A connection to a server with the same limits that looks for late requests as seldom as Node does by itself. */
  async function openWithoutCheck(limit: { headersTimeoutMs: number } | { requestTimeoutMs: number }) {
    const headersTimeout = "headersTimeoutMs" in limit ? limit.headersTimeoutMs : limit.requestTimeoutMs;
    const node = createServer({ headersTimeout, requestTimeout: headersTimeout });
    const listening = await listen(node, { ...LOCAL, graceMs: 0 });
    return { socket: await openConnection(listening.url), close: () => listening.close() };
  }

  it.each([
    ["nothing at all", "", { headersTimeoutMs: LIMIT_MS }],
    ["half of the headers", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Half: ", { headersTimeoutMs: LIMIT_MS }],
    ["half of the body", `${HEAD}Content-Length: 100\r\n\r\n{"half":`, { requestTimeoutMs: LIMIT_MS }],
    [
      "chunks without an end",
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`,
      { requestTimeoutMs: LIMIT_MS },
    ],
  ])("end a request that sends %s", async (_, sent, limit) => {
    // Opened first, so that on a machine that stood still it would also end first.
    const unchecked = await openWithoutCheck(limit);
    unchecked.socket.write(sent);
    const server = await listenHttp(async (request) => new Response(await request.text()), {
      ...LOCAL,
      ...limit,
    });
    const started = performance.now();
    const socket = await openConnection(server.url);
    socket.write(sent);
    const answer = await Promise.race([
      everythingOn(socket),
      everythingOn(unchecked.socket).then(() => "not before Node would have looked by itself"),
    ]);
    expect(performance.now() - started).toBeGreaterThan(LIMIT_MS * 0.9);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('"code":"request-timeout"');
    await Promise.all([server.close(), unchecked.close()]);
  });

  it("disconnect a client that does not read its response, and stop producing it", async () => {
    let isGivenUp = () => {};
    const givenUp = new Promise<void>((resolve) => {
      isGivenUp = resolve;
    });
    const chunk = new Uint8Array(64 * 1024);
    const endless = () =>
      new ReadableStream(
        { pull: (controller) => controller.enqueue(chunk), cancel: isGivenUp },
        { highWaterMark: 0 },
      );
    const server = await listenHttp(({ url }) => new Response(url.endsWith("/endless") ? endless() : "ok"), {
      ...LOCAL,
      sendTimeoutMs: LIMIT_MS,
    });
    const socket = await openConnection(server.url);
    socket.pause();
    socket.write("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await givenUp;
    expect(await (await fetch(server.url)).text()).toBe("ok");
    socket.destroy();
    await server.close();
  });

  it("don't affect a client that waits for its response", async () => {
    const server = await listenHttp(
      async ({ url }) => {
        if (url.endsWith("/quick")) return new Response("ok");
        // A client that came later is dropped first.
        const later = await openConnection(url);
        later.write("GET /quick HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await everythingOn(later);
        return new Response("at last");
      },
      { ...LOCAL, sendTimeoutMs: LIMIT_MS, keepAliveMs: LIMIT_MS },
    );
    expect(await (await fetch(server.url)).text()).toBe("at last");
    await server.close();
  });

  it("close an idle kept-alive connection", async () => {
    const server = await listenHttp(() => new Response("ok"), { ...LOCAL, keepAliveMs: LIMIT_MS });
    // Kept for as long as the default says: opened first, and closed after the other.
    const patient = await listenHttp(() => new Response("ok"), LOCAL);
    const [kept, socket] = [await openConnection(patient.url), await openConnection(server.url)];
    for (const each of [kept, socket]) each.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const answer = await Promise.race([everythingOn(socket), everythingOn(kept).then(() => "too late")]);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    await Promise.all([server.close(), patient.close()]);
  });
});

describe("connections beyond the limit", () => {
  it("are answered 503, except for probes, and closed without a response beyond twice the limit", async () => {
    const server = await listenHttp(() => new Response("served"), { ...LOCAL, maxConnections: 2 });
    const within = [await openConnection(server.url), await openConnection(server.url)];
    const beyond = [await openConnection(server.url), await openConnection(server.url)];
    const dropped = await openConnection(server.url);
    expect(await everythingOn(dropped)).toBe("");

    const [refused, probe] = beyond;
    refused?.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const answer = refused === undefined ? "" : await everythingOn(refused);
    expect(answer).toMatch(/^HTTP\/1.1 503 .*retry-after: 1\r\n/is);
    expect(answer).toContain('"code":"too-many-connections"');
    probe?.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    expect(probe === undefined ? "" : await everythingOn(probe)).toContain("served");

    for (const socket of within) socket.destroy();
    await expect.poll(async () => (await fetch(server.url)).status).toBe(200);
    await server.close();
  });
});

describe("malformed HTTP", () => {
  /** Sends these bytes and returns the response, until the server closes the connection. */
  async function answersTo(sent: string, answerAfter: Promise<void> = Promise.resolve()): Promise<string> {
    const server = await listenHttp(async (request) => {
      const text = await request.text();
      await answerAfter;
      return new Response(`got ${text}`);
    }, LOCAL);
    const socket = await openConnection(server.url);
    socket.write(sent);
    const answer = await everythingOn(socket);
    await server.close();
    return answer;
  }
  const sound = `${HEAD}Content-Length: 5\r\n\r\nsound`;

  it("does not prevent the response to an earlier request on the same connection", async () => {
    const answer = await answersTo(`${sound}garbage\r\n\r\n`, sleep(50));
    expect(answer).toMatch(/^HTTP\/1.1 200 .*got soundHTTP\/1.1 400 .*"code":"request-invalid"/s);
  });

  it("is refused at once, after the responses to earlier requests", async () => {
    const broken = `${HEAD}Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n`;
    expect(await answersTo(broken)).toMatch(/^HTTP\/1.1 400 .*"code":"request-invalid"/s);
    expect(await answersTo(sound + broken)).toMatch(/^HTTP\/1.1 200 .*got soundHTTP\/1.1 400 /s);
  });

  it.each([
    [
      "CONNECT",
      "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
      405,
      "method-not-allowed",
    ],
    [
      "an expectation",
      `${HEAD}Connection: close\r\nExpect: miracles\r\nContent-Length: 0\r\n\r\n`,
      417,
      "expectation-failed",
    ],
    [
      "an expectation beside another",
      `${HEAD}Connection: close\r\nExpect: 100-continue, miracles\r\nContent-Length: 0\r\n\r\n`,
      417,
      "expectation-failed",
    ],
    [
      "another transfer coding",
      `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      501,
      "transfer-coding-unsupported",
    ],
    [
      "two content types",
      `${HEAD}Content-Type: text/plain\r\nContent-Type: application/json\r\n\r\n`,
      400,
      "request-invalid",
    ],
    ["two hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400, "request-invalid"],
    ["no host", "GET / HTTP/1.1\r\n\r\n", 400, "request-invalid"],
    [
      "two different hosts",
      "GET http://localhost/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      400,
      "request-invalid",
    ],
    ["encoding that is none", "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "request-invalid"],
    [
      "encoding that is not UTF-8",
      "GET /a?b=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
      400,
      "request-invalid",
    ],
    ["a fragment", "GET /a#b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "request-invalid"],
    [
      "a backslash",
      "GET /a\\b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      400,
      "request-invalid",
    ],
  ])("is answered with a problem document: %s", async (_, sent, status, code) => {
    const answer = await answersTo(sent);
    expect(answer).toMatch(
      new RegExp(
        `^(?:HTTP/1.1 100 Continue\\s+)?HTTP/1.1 ${status} .*content-type: application/problem\\+json`,
        "is",
      ),
    );
    expect(answer).toContain(`"code":"${code}"`);
    expect(answer.toLowerCase()).toContain("x-content-type-options: nosniff");
  });
});
