import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createSynapClient } from "@synap/client";
import type { EventStore, ReadAllRequest } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { askWithoutReading, everythingOn } from "@synap/http/testing";
import { createSynapEvent, type StoredEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Frame, parseFrames, readFrames } from "../testing/read-frames.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const headers = { authorization: `Bearer ${TOKEN}` };

let made = 0;
function event(flow: string, content = "x"): SynapEvent {
  made += 1;
  return createSynapEvent({
    type: made % 2 === 0 ? "note.creation.completed" : "note.creation.requested",
    aggregateId: `stream ${made % 3}`,
    userId: made % 4 === 0 ? "ann" : "bee",
    correlationId: flow,
    data: { content },
  });
}

/** Reads what a store has after a position, with a filter. */
async function stored(
  store: EventStore,
  after: number,
  filter: Partial<ReadAllRequest> = {},
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (let position = after, isMore = true; isMore; ) {
    const page = await store.readAll({ ...filter, after: position, limit: 1_000 });
    events.push(...page.events);
    ({ position } = page);
    isMore = !page.caughtUp;
  }
  return events;
}

/**
 * A reader that takes frames as they come, and checks that each accounts for the positions after the one before it, also across
 * connections.
 */
class Auditor {
  readonly events: StoredEvent[] = [];
  position: number;
  #number = 0;

  constructor(position: number) {
    this.position = position;
  }

  connected(): void {
    this.#number = 0;
  }

  take({ event: name, id, data }: Frame): void {
    if (name === "message") this.#number += 1;
    expect({ after: data.after, number: data.number }).toEqual({
      after: this.position,
      number: this.#number,
    });
    if (name === "message") this.events.push(data.event);
    this.position = Number(id);
  }
}

/** A proxy that cuts each connection after some bytes of the response. */
async function startCuttingProxy(
  target: string,
  bytes: () => number,
): Promise<{ url: string; server: Server }> {
  const { hostname, port } = new URL(target);
  const server = createServer((client: Socket) => {
    const upstream = connect(Number(port), hostname);
    let left = bytes();
    client.on("error", () => {}).on("close", () => upstream.destroy());
    upstream.on("error", () => {}).on("close", () => client.destroy());
    client.pipe(upstream);
    upstream.on("data", (chunk: Buffer) => {
      client.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) client.destroySoon();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  return { url: `http://127.0.0.1:${address.port}`, server };
}

describe.each(testEngines())("a live stream (%s)", (engine) => {
  let api: TestApi;
  let store: EventStore;
  beforeAll(async () => {
    api = await startTestApi({}, engine);
    store = createEventStore({ database: api.database, catalogue: seedCatalogue });
  });
  afterAll(() => api.stop());

  const open = (query: string, more: Record<string, string>, signal: AbortSignal) =>
    fetch(`${api.url}/api/v1/events/stream?${query}`, { headers: { ...headers, ...more }, signal });
  const endOfLog = async () => (await store.readAll({ after: Number.MAX_SAFE_INTEGER, limit: 1 })).watermark;

  const FILTERS: readonly (readonly [string, Partial<ReadAllRequest>])[] = [
    ["", {}],
    ["type=note.creation.completed", { types: ["note.creation.completed"] }],
    ["userId=ann", { userId: "ann" }],
    [
      "aggregateType=note&aggregateId=stream 1",
      { stream: { aggregateType: "note", aggregateId: "stream 1" } },
    ],
    ["correlationId=even&userId=bee", { correlationId: "even", userId: "bee" }],
  ];

  it("sends what matches in the log, each event once and in order, whenever the reader is disconnected", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FILTERS),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }),
        async ([query, filter], appends, cuts) => {
          const from = await endOfLog();
          const writing = (async () => {
            for (const [index, count] of appends.entries()) {
              await store.appendBatch(
                Array.from({ length: count }, () => event(index % 2 === 0 ? "even" : "odd")),
              );
              await nextTurn();
            }
          })();
          const auditor = new Auditor(from);
          /** Takes up to this many frames of a connection, which may be lost at any time. */
          const connection = async (frames: number, signal: AbortSignal) => {
            const isFirst = auditor.position === from;
            const resume = isFirst ? {} : { "last-event-id": String(auditor.position) };
            const response = await open(`${query}${isFirst ? `&from=${from}` : ""}`, resume, signal);
            expect(response.status).toBe(200);
            auditor.connected();
            let taken = 0;
            for await (const frame of readFrames(response)) {
              if (taken === frames) return;
              taken += 1;
              auditor.take(frame);
              if (frames === Number.POSITIVE_INFINITY && frame.data.caughtUp === true) return;
            }
          };
          for (const frames of cuts) {
            const hangUp = new AbortController();
            writing.then(() => hangUp.abort());
            await connection(frames, hangUp.signal).catch((error: unknown) => {
              if (!hangUp.signal.aborted) throw error;
            });
            hangUp.abort();
          }
          await writing;
          const last = new AbortController();
          await connection(Number.POSITIVE_INFINITY, last.signal);
          last.abort();
          expect(auditor.events).toEqual(await stored(store, from, filter));
        },
      ),
      { seed: SEED, numRuns: 15 },
    );
  });

  it("reaches the client whole through a network that cuts connections anywhere", async () => {
    const from = await endOfLog();
    const sizes = [700, 2_500, 4_001, 900, 6_000, 9_999];
    const proxy = await startCuttingProxy(api.url, () => sizes.shift() ?? Number.POSITIVE_INFINITY);
    const synap = createSynapClient({ url: proxy.url, token: TOKEN });
    const end = new AbortController();
    const received: unknown[] = [];
    let [reconnects, counted, last] = [0, 0, Number.POSITIVE_INFINITY];
    const events = synap.subscribe({
      from,
      userId: "bee",
      signal: end.signal,
      onReconnect: () => {
        reconnects += 1;
      },
      onProgress: (progress) => {
        counted = progress.received;
        if (progress.position >= last) end.abort();
      },
    });
    const reading = (async () => {
      for await (const each of events) received.push(each);
    })();
    for (let count = 0; count < 20; count += 1) {
      await store.appendBatch([event("cut"), event("cut"), event("cut")]);
    }
    last = await endOfLog();
    await expect(reading).rejects.toThrow();
    proxy.server.close();
    const expected = await stored(store, from, { userId: "bee" });
    expect(received).toEqual(expected);
    expect(counted).toBe(expected.length);
    expect(reconnects).toBeGreaterThan(2);
  });

  it("sends nothing from beyond an unfinished append, which comes first though it is stored last", async () => {
    const from = await endOfLog();
    const hangUp = new AbortController();
    const frames = readFrames(await open(`from=${from}&correlationId=late`, {}, hangUp.signal));
    const auditor = new Auditor(from);
    const seen = async (count: number) => {
      while (auditor.events.length < count) {
        const { value } = await frames.next();
        if (value !== undefined) auditor.take(value);
      }
      return auditor.events.map(({ id }) => id);
    };
    const [slow, quick] = [event("late"), event("late")];
    if (engine === "embedded") await store.appendBatch([slow, quick]);
    else {
      await api.database.transaction(async (transaction) => {
        await store.append(slow, { transaction });
        await store.append(quick);
      });
    }
    expect(await seen(2)).toEqual([slow.id, quick.id]);
    hangUp.abort();
  });
});

it.each(testEngines())(
  "a reader that does not read is cut off, and resumes after what it has (%s)",
  async (engine) => {
    const api = await startTestApi({ sendTimeoutMs: 300, maxTails: 1 }, engine);
    try {
      const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
      const content = "x".repeat(90_000);
      for (let batch = 0; batch < 12; batch += 1) {
        await store.appendBatch(Array.from({ length: 20 }, () => event("large", content)));
      }
      const all = await stored(store, 0);
      const url = `${api.url}/api/v1/events/stream?from=start`;
      const socket = await askWithoutReading(url, headers);
      expect((await fetch(url, { headers })).status).toBe(503);
      // The place of the only tail is free once it has been cut off.
      let next: Response | undefined;
      await expect
        .poll(
          async () => {
            const response = await fetch(url, { method: "GET", headers });
            if (response.status === 200) next = response;
            return response.status;
          },
          { timeout: 30_000 },
        )
        .toBe(200);
      await next?.body?.cancel();
      const arriving = everythingOn(socket);
      socket.resume();
      const text = await arriving;
      // No more was sent than the buffers of the connection hold.
      expect(text.length).toBeLessThan((all.length * content.length) / 2);
      const auditor = new Auditor(0);
      const body = text.slice(text.indexOf("retry: "));
      for (const frame of parseFrames(
        body.slice(0, body.lastIndexOf("\n\n") + 2).replaceAll(/\r\n[0-9a-f]+\r\n/g, ""),
      ))
        auditor.take(frame);
      expect(auditor.events.length).toBeGreaterThan(0);
      await expect
        .poll(async () => {
          const response = await fetch(url, {
            headers: { ...headers, "last-event-id": String(auditor.position) },
          });
          if (response.status !== 200) return response.status;
          auditor.connected();
          for await (const frame of readFrames(response)) {
            auditor.take(frame);
            if (frame.data.caughtUp === true) break;
          }
          return 200;
        })
        .toBe(200);
      expect(auditor.events.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    } finally {
      await api.stop();
    }
  },
);
