import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { MAX_PAGE_BYTES } from "@synap/database";
import { createEventStore, recordDeadLetter } from "@synap/database/internal";
import { askWithoutReading } from "@synap/http/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callAdmin } from "../testing/call-admin.ts";
import { readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const EVENT_BYTES = 200_000;
/** Two pages of 4 MiB, about. */
const COUNT = 40;
const BUDGET = 12 * 1024 * 1024;
const stream = { aggregateType: "note", aggregateId: "large" };
const PAGE = "/api/v1/events?aggregateId=large&limit=1000&order=asc";

let api: TestApi;
let ids: readonly string[];

beforeAll(async () => {
  api = await startTestApi({ pagesMaxBytes: BUDGET, pagesMaxWaitMs: 200 });
  const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
  const now = Date.now();
  const events = Array.from({ length: COUNT }, (_, index) =>
    createSynapEvent({
      type: "note.creation.completed",
      aggregateId: stream.aggregateId,
      data: { content: "x".repeat(EVENT_BYTES) },
      timestamp: new Date(now - (COUNT - index) * 1_000).toISOString(),
    }),
  );
  ids = events.map(({ id }) => id);
  await store.appendBatch(events);
  await store.append(
    createSynapEvent({ type: "note.creation.completed", aggregateId: "small", data: { content: "small" } }),
  );
});
afterAll(() => api.stop());

const get = async (path: string) => readResponse(await fetch(`${api.url}${path}`));
const pagesOf = async () => (await get("/api/v1/status")).body.pages;

/** Counts the requests refused so far. */
async function refusedOf(requests: readonly Promise<{ status: number }>[]): Promise<number> {
  const responses = await Promise.all(requests.map((request) => Promise.race([request, undefined])));
  return responses.filter((answer) => answer?.status === 503).length;
}

describe("large pages", () => {
  it("asked for by 25 clients at once are cut shorter, and lead each of them on through the events", async () => {
    const walks = Array.from({ length: 25 }, async () => {
      const pages: (readonly string[])[] = [];
      for (
        let cursor: string | undefined;
        pages.length < 3 && (pages.length === 0 || cursor !== undefined);
      ) {
        const query = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const { status, body } = await get(`${PAGE}${query}`);
        // No room in time.
        if (status === 503 && body.code === "too-many-pages") continue;
        expect(status).toBe(200);
        pages.push(body.events.map(({ id }) => id));
        cursor = body.nextCursor;
      }
      return pages;
    });
    const seen = await Promise.all(walks);
    for (const pages of seen) expect(pages.flat()).toEqual(ids.slice(0, pages.flat().length));
    // Two have room for a full page; those beside them get what reaches 256 KiB.
    const first = seen.map(([page]) => page?.length ?? 0).sort((one, other) => one - other);
    expect(first[0]).toBeLessThanOrEqual(2);
    expect(first.at(-1)).toBeGreaterThan(15);
    await expect.poll(async () => (await pagesOf()).reservedBytes).toBe(0);
  });

  it("that clients don't read keep their bytes reserved, while other requests are answered with fewer events", async () => {
    const held: Socket[] = [];
    while ((await pagesOf()).reservedBytes < 2 * MAX_PAGE_BYTES)
      held.push(await askWithoutReading(`${api.url}${PAGE}`));
    for (let request = 0; request < 20; request += 1) {
      const small = await get("/api/v1/events?aggregateId=small");
      expect(small).toMatchObject({ status: 200, body: { events: [{ aggregateId: "small" }] } });
    }
    expect(await get(`/api/v1/events/${ids[0]}`)).toMatchObject({ status: 200 });
    const short = await get(PAGE);
    expect(short).toMatchObject({ status: 200, body: { nextCursor: expect.any(String) } });
    expect(short.body.events.length).toBeLessThanOrEqual(2);
    const metrics = await (await fetch(`${api.url}/metrics`)).text();
    expect(metrics).toContain(`synap_pages_max_bytes ${BUDGET}`);
    expect(metrics).toMatch(/^synap_pages_reserved_bytes [1-9]\d+$/m);
    for (const socket of held) socket.destroy();
    await expect.poll(async () => (await pagesOf()).reservedBytes).toBe(0);
    expect((await get(PAGE)).body.events.length).toBeGreaterThan(15);
  });

  it("for which there is no room in time are refused, and the others come once the database answers", async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    // The embedded engine has one session: nobody reads while this transaction is open.
    const transaction = api.database.transaction(() => held);
    const requests = Array.from({ length: 30 }, () => get(PAGE));
    // Two full pages and 16 short ones.
    await expect.poll(() => refusedOf(requests)).toBe(30 - 18);
    letGo();
    await transaction;
    const responses = await Promise.all(requests);
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(18);
    for (const { status, headers, body } of responses) {
      if (status === 200) continue;
      expect(body).toMatchObject({ status: 503, code: "too-many-pages" });
      expect(headers.get("retry-after")).toBe("1");
    }
  });

  it("that cannot be read give their room back", async () => {
    // More than the budget has room for.
    for (let request = 0; request < 20; request += 1) {
      const { status, body } = await get("/api/v1/events?cursor=none");
      expect([status, body.code]).toEqual([400, "cursor-invalid"]);
    }
    expect((await pagesOf()).reservedBytes).toBe(0);
  });

  it("of streams and of dead letters are bounded alike", async () => {
    const read: string[] = [];
    for (let path: string | undefined = `/api/v1/streams/note/large?limit=1000`; path !== undefined; ) {
      const response: Response = await fetch(`${api.url}${path}`);
      const text = await response.text();
      expect(text.length).toBeLessThan(MAX_PAGE_BYTES + EVENT_BYTES + 100_000);
      read.push(...JSON.parse(text).events.map(({ id }: { id: string }) => id));
      path = /<([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
    }
    expect(read).toEqual(ids);

    const deadLetters: number[] = [];
    for (let index = 0; index < COUNT; index += 1) {
      const event = { id: randomUUID(), data: "x".repeat(EVENT_BYTES) };
      const deadLetter = { handler: "h", event, code: "failed", reason: "no", attempts: 1 };
      deadLetters.push((await recordDeadLetter(api.database, deadLetter)).id);
    }
    const listed: number[] = [];
    let pages = 0;
    for (let cursor: string | undefined, isMore = true; isMore; pages += 1) {
      const query = cursor === undefined ? "" : `&cursor=${cursor}`;
      const { body } = await callAdmin(api.url, `/dead-letters?limit=1000${query}`);
      listed.push(...body.deadLetters.map(({ id }: { id: number }) => id));
      cursor = body.nextCursor;
      isMore = cursor !== undefined;
    }
    expect(listed).toEqual(deadLetters.toReversed());
    expect(pages).toBe(2);
  });
});
