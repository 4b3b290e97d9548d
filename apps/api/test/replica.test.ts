import { randomUUID } from "node:crypto";
import { directly } from "@synap/database/testing";
import { POSITION_HEADER } from "@synap/types/http";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

describe.runIf(directly.isThere)("an API that reads from a replica", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({}, "server", { replica: { way: directly, maxWait: 30_000 } });
    await vi.waitFor(() => expect(counts().inUse).toBe(true), 60_000);
  });
  afterAll(() => api.stop());

  function counts() {
    if (api.replica === undefined) throw new Error("It has no replica.");
    return api.replica.state();
  }

  async function call(
    path: string,
    { position = "", events }: { position?: string; events?: unknown[] } = {},
  ) {
    const response = await fetch(`${api.url}/api/v1/${path}`, {
      method: events === undefined ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        ...(position !== "" && { [POSITION_HEADER]: position }),
      },
      ...(events !== undefined && { body: JSON.stringify({ events }) }),
    });
    return {
      status: response.status,
      position: response.headers.get(POSITION_HEADER) ?? "",
      body: JSON.parse(await response.text()),
    };
  }

  const note = { type: "note.creation.requested", data: { content: "Call Acme" } };

  it("shows a writer what it wrote, from the replica, by every way of reading", async () => {
    const stream = `note/${randomUUID()}`;
    const written = await call(`streams/${stream}/events`, { events: [note, note] });
    expect(written).toMatchObject({ status: 201, position: String(written.body.position) });
    const [{ id }] = written.body.events;
    const before = counts();
    for (const path of [
      `streams/${stream}`,
      `events/${id}`,
      `events/aggregate/${stream}/history`,
      "events",
    ]) {
      const read = await call(path, { position: written.position });
      expect(JSON.stringify(read.body)).toContain(id);
      expect(Number(read.position)).toBeGreaterThanOrEqual(Number(written.position));
    }
    expect(counts()).toMatchObject({ served: before.served + 4, passedOn: before.passedOn });
  });

  it("shows the replica's use, lag and reads in the status and to Prometheus", async () => {
    const unknown = await call("events/00000000-0000-7000-8000-000000000000");
    expect(unknown.status).toBe(404);
    const { reason: _, ...use } = counts();
    expect(use.passedOn.absent).toBeGreaterThan(0);
    const { served, passedOn } = use;
    expect((await call("status")).body.replica).toMatchObject({ inUse: true, served, passedOn });
    expect((await call("admin/status")).body.replica).toMatchObject({ inUse: true, served, passedOn });
    const scraped = await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const text = await scraped.text();
    for (const line of [
      "synap_replica_in_use 1",
      `synap_replica_reads{answered_by="replica",reason=""} ${served}`,
      `synap_replica_reads{answered_by="primary",reason="absent"} ${passedOn.absent}`,
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    expect(text).toMatch(/^synap_replica_position [1-9]\d*$/m);
    expect(text).toMatch(/^synap_replica_lag_seconds \d/m);
  });

  it("refuses a position that is none, by the header's name", async () => {
    const refused = await call("events", { position: "-1" });
    expect(refused).toMatchObject({
      status: 400,
      body: { code: "parameter-invalid", errors: [{ path: "X-Synap-Position" }] },
    });
  });
});

describe.runIf(directly.isThere)("an API whose replica is away", () => {
  it("says so in the status, and why only to operators", async () => {
    const way = { ...directly, url: () => "postgres://postgres@127.0.0.1:1/postgres" };
    const api = await startTestApi({}, "server", { replica: { way, maxWait: 100 } });
    try {
      const statusAt = async (path: string) => {
        const response = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
        return JSON.parse(await response.text());
      };
      const shown = await statusAt("/api/v1/status");
      expect(shown.replica).toMatchObject({ inUse: false, served: 0 });
      expect(shown.replica).not.toHaveProperty("reason");
      expect((await statusAt("/api/v1/admin/status")).replica).toMatchObject({
        inUse: false,
        reason: expect.stringContaining("127.0.0.1"),
      });
    } finally {
      await api.stop();
    }
  });
});
