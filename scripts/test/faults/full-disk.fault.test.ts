import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SeparateProcesses } from "../../src/processes/separate-processes.ts";
import { canRunTimescaledb, TimescaledbServer } from "../../src/processes/timescaledb-server.ts";

/** Text that does not compress, so that it needs room. */
function noise(bytes: number): string {
  const parts = Array.from({ length: Math.ceil(bytes / 64) }, () =>
    createHash("sha256").update(randomUUID()).digest("hex"),
  );
  return parts.join("");
}

const json = { "content-type": "application/json" };

describe.runIf(canRunTimescaledb)("on a disk that is full", { timeout: 240_000 }, () => {
  const server = new TimescaledbServer(54_353, { diskMiB: 1_024 });
  let processes: SeparateProcesses;

  beforeAll(async () => {
    await server.remove();
    await server.start();
    processes = await SeparateProcesses.start({ databaseUrl: server.url, fromSource: true });
  }, 240_000);
  afterAll(async () => {
    await processes?.stop();
    await server.remove();
  });

  async function call(method: "GET" | "POST", path: string, body?: unknown) {
    const response = await fetch(`${processes.apiUrl}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: json }),
    });
    const answer: Record<string, unknown> = JSON.parse(await response.text());
    return { status: response.status, headers: response.headers, body: answer };
  }

  /** Three megabytes for one stream. */
  const events = Array.from({ length: 15 }, () => ({
    id: randomUUID(),
    type: "note.creation.completed",
    data: { content: noise(200_000) },
  }));
  const append = (stream: string, which = events) =>
    call("POST", `/api/v1/streams/note/${stream}/events`, { events: which });

  it("the API says that it is not ready and why, refuses writes until there is room, and loses nothing", async () => {
    expect(await call("GET", "/readyz")).toMatchObject({ status: 200 });
    expect(
      await append("before", [
        { ...events[0], id: randomUUID(), type: "note.creation.completed", data: { content: "x" } },
      ]),
    ).toMatchObject({ status: 201 });

    await server.fillDisk();
    await expect
      .poll(() => call("GET", "/readyz"), { timeout: 60_000, interval: 250 })
      .toMatchObject({
        status: 503,
        body: {
          code: "not-ready",
          detail: "The database's disk is full.",
          checks: { database: "ok", write: "disk-full" },
        },
      });
    // The process itself is sound, and what is stored can be read.
    expect(await call("GET", "/healthz")).toMatchObject({ status: 200 });
    expect(await call("GET", "/api/v1/streams/note/before")).toMatchObject({ status: 200 });

    const refused = await append("full");
    expect(refused).toMatchObject({ status: 503, body: { code: "database-unavailable", status: 503 } });
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(JSON.stringify(refused.body)).not.toMatch(/No space left|pg_|base\//);
    // The local broker keeps its queue in the same database.
    const published = { ...events[0], id: randomUUID(), aggregateId: "later" };
    const unconfirmed = await call("POST", "/api/v1/events", published);
    expect(unconfirmed).toMatchObject({ status: 503, body: { code: "broker-unavailable", status: 503 } });
    expect(unconfirmed.headers.get("retry-after")).toMatch(/^\d+$/);

    await server.freeDisk();
    await server.recover();
    await expect
      .poll(async () => (await call("GET", "/readyz")).status, { timeout: 60_000, interval: 250 })
      .toBe(200);
    expect(await append("full")).toMatchObject({ status: 201, body: { streamVersion: events.length } });
    await expect
      .poll(async () => (await call("POST", "/api/v1/events", published)).status, {
        timeout: 60_000,
        interval: 250,
      })
      .toBeLessThan(300);
    await expect
      .poll(async () => (await call("GET", `/api/v1/events/${published.id}`)).status, {
        timeout: 90_000,
        interval: 250,
      })
      .toBe(200);
    expect(await call("GET", "/api/v1/streams/note/later")).toMatchObject({ body: { streamVersion: 1 } });
  });
});
