import type { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createEventStore } from "@synap/database/internal";
import { everythingOn, openConnection } from "@synap/http/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterEach, describe, expect, it } from "vitest";
import type { ApiConfiguration } from "../src/index.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

// Clients that ask, and read nothing of what they get. Those of live tails are in stream-laws.test.ts and many-tails.test.ts.
const MEBIBYTE = 2 ** 20;
/** Requests that each of them sends at once, and that the system's own buffers can't take the responses of. */
const REQUESTS = 90;
const CLIENTS = 20;
const headers = { authorization: `Bearer ${TOKEN}` };
const PAGE = "/api/v1/events?limit=1000&order=asc";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

let api: TestApi;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api.stop();
});

async function start(settings: Partial<ApiConfiguration>): Promise<void> {
  api = await startTestApi(settings);
  const content = "x".repeat(100_000);
  const large = () => createSynapEvent({ type: "note.creation.completed", data: { content } });
  await createEventStore({ database: api.database, catalogue: seedCatalogue }).appendBatch(
    Array.from({ length: 20 }, large),
  );
}

/** A client that sends many requests for a path and reads nothing, once the first response begins to arrive. */
async function askManyTimes(path: string, requests = REQUESTS): Promise<Socket> {
  const socket = await openConnection(api.url);
  sockets.push(socket);
  socket.on("error", () => {});
  socket.pause();
  const request = `GET ${path} HTTP/1.1\r\nhost: ${new URL(api.url).host}\r\nauthorization: ${headers.authorization}\r\n\r\n`;
  socket.write(request.repeat(requests));
  await new Promise((resolve) => socket.once("readable", resolve));
  return socket;
}

/** Bytes in use, in and outside of the heap. */
function used(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const get = async (path: string) => {
  const response = await fetch(`${api.url}${path}`, { headers });
  const text = await response.text();
  return { status: response.status, bytes: Buffer.byteLength(text), text };
};
const reservedBytes = async () => JSON.parse((await get("/api/v1/status")).text).pages.reservedBytes;

describe("clients that read nothing of", () => {
  it.each(["/openapi.json", "/asyncapi.json", "/viewers/redoc.js", "/docs", "/metrics", PAGE])(
    "%s cost two responses each, whatever they ask for, and others are answered",
    async (path) => {
      await start({ sendTimeoutMs: 60_000 });
      const { status, bytes } = await get(path);
      expect(status).toBe(200);
      const before = used();
      for (let client = 0; client < CLIENTS; client += 1) await askManyTimes(path);
      for (let round = 0; round < 10; round += 1)
        expect(await get("/healthz")).toMatchObject({ status: 200 });
      expect(await get("/api/v1/events?limit=1&type=note.creation.requested")).toMatchObject({ status: 200 });
      // The connection has its 90 requests too, and the test its end of it.
      expect(used() - before).toBeLessThan(CLIENTS * (2 * bytes + MEBIBYTE));
    },
  );

  it.each(["/openapi.json", "/viewers/redoc.js", PAGE])(
    "%s are cut off, and their places are free again",
    async (path) => {
      await start({ sendTimeoutMs: 500, keepAliveMs: 500, maxConnections: CLIENTS });
      for (let client = 0; client < CLIENTS; client += 1) await askManyTimes(path);
      await expect.poll(async () => (await get("/api/v1/status")).status).toBe(200);
      await expect.poll(reservedBytes).toBe(0);
    },
  );

  it("pages leave nothing reserved when they go, also for requests whose turn had not come", async () => {
    await start({ sendTimeoutMs: 60_000 });
    const clients = await Promise.all(Array.from({ length: 3 }, () => askManyTimes(PAGE)));
    // One page for each connection is read or sent at a time.
    expect(await reservedBytes()).toBeLessThanOrEqual(3 * 5 * MEBIBYTE);
    for (const socket of clients) socket.destroy();
    await expect.poll(reservedBytes).toBe(0);
    expect(await get(PAGE)).toMatchObject({ status: 200 });
  });

  it("tails give back their places when they go, also those whose turn had not come", async () => {
    await start({ maxTails: 5, maxTailsEach: 5 });
    const socket = await askManyTimes("/api/v1/events/stream?from=start", 5);
    socket.destroy();
    await expect
      .poll(async () => {
        const leaving = Array.from({ length: 5 }, () => new AbortController());
        const statuses: number[] = [];
        for (const { signal } of leaving) {
          statuses.push((await fetch(`${api.url}/api/v1/events/stream`, { headers, signal })).status);
        }
        for (const each of leaving) each.abort();
        return statuses;
      })
      .toEqual([200, 200, 200, 200, 200]);
  });

  it("a hundred responses may not ask for more", async () => {
    await start({ sendTimeoutMs: 60_000 });
    const socket = await askManyTimes("/viewers/redoc.js", 101);
    const arriving = everythingOn(socket);
    socket.resume();
    expect((await arriving).match(/HTTP\/1\.1 200 /g)?.length ?? 0).toBeLessThan(101);
    expect(await get("/healthz")).toMatchObject({ status: 200 });
  });
});
