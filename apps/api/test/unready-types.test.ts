import { type ProcessPresence, startPresence } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { INGEST_HANDLER, keepAccepted } from "@synap/handlers/internal";
import { createSynapEvent, type EventCatalogue, seedCatalogue } from "@synap/types";
import { newerCatalogue, parcelSent } from "@synap/types/testing";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type AdminResponse, callAdmin } from "../testing/call-admin.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const note = () => createSynapEvent({ type: "note.creation.requested", data: { content: "x" } });

describe.each(testEngines())("an event type that a worker does not know (%s)", (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({}, engine, { catalogue: newerCatalogue, presenceIntervalMs: 10 });
  });
  afterAll(() => api.stop());

  const worker = (catalogue: EventCatalogue): Promise<ProcessPresence> =>
    startPresence({ database: api.database, role: "worker", catalogue, logger: pino({ level: "silent" }) });
  async function ask(path: string, init?: RequestInit): Promise<AdminResponse> {
    const response = await fetch(`${api.url}${path}`, init);
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
  }
  const post = (path: string, body: unknown) =>
    ask(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  it("is accepted while no worker runs, with a warning that none does", async () => {
    expect((await post("/api/v1/events", parcelSent())).status).toBe(202);
    expect((await ask("/readyz")).body).toEqual({
      status: "ok",
      checks: { database: "ok", migrations: "ok", write: "ok", broker: "ok", functions: "ok" },
      warnings: [{ code: "no-worker", detail: "no worker runs: accepted events wait in the broker" }],
    });
  });

  it("is refused for now by name while one worker lacks it, other types are taken, and all say which and who", async () => {
    const [old, up] = [await worker(seedCatalogue), await worker(newerCatalogue)];
    try {
      const detail = `${old.instance} does not know parcel.sent`;
      expect((await ask("/readyz")).body).toMatchObject({
        status: "ok",
        warnings: [{ code: "event-types-differ", detail }],
      });
      expect((await ask("/api/v1/status")).body.processes).toEqual(
        [
          {
            instance: old.instance,
            role: "worker",
            release: expect.any(String),
            difference: { missingThere: ["parcel.sent"], missingHere: [], different: [] },
          },
          { instance: up.instance, role: "worker", release: expect.any(String) },
        ].sort((a, b) => (a.instance < b.instance ? -1 : 1)),
      );
      const metrics = await (await fetch(`${api.url}/metrics`)).text();
      expect(metrics).toContain('synap_other_processes{role="worker"} 2\n');
      expect(metrics).toContain("synap_event_type_differences 1\n");

      api.broker.received.length = 0;
      const single = await post("/api/v1/events", parcelSent());
      expect([single.status, single.body.code, single.headers.get("retry-after")]).toEqual([
        503,
        "event-type-not-ready",
        "5",
      ]);
      expect(single.body.detail).toContain(detail);
      const events = [note(), parcelSent(), note()];
      const batch = await post("/api/v1/events/batch", events);
      expect([batch.status, batch.body.code]).toEqual([503, "event-type-not-ready"]);
      expect(batch.body.results).toMatchObject([
        { status: "accepted" },
        { status: "unavailable", id: events[1]?.id, code: "event-type-not-ready" },
        { status: "accepted" },
      ]);
      expect(api.broker.received.flatMap((envelope) => envelope.events)).toEqual([events[0], events[2]]);
    } finally {
      await Promise.all([old.close(), up.close()]);
    }
    await vi.waitFor(async () => expect((await post("/api/v1/events", parcelSent())).status).toBe(202));
  });

  it("is shown with what is kept of accepted events: open ones warn, skipped ones stay counted", async () => {
    const present = await worker(newerCatalogue);
    const keep = () => keepAccepted(api.database, parcelSent(), { code: "a-test", reason: "x", attempts: 1 });
    const [first] = [await keep(), await keep()];
    const warnings = async () => (await ask("/readyz")).body.warnings;
    expect(await warnings()).toEqual([
      {
        code: "accepted-events-not-stored",
        detail: expect.stringContaining("2 dead letters hold accepted events"),
      },
    ]);
    await callAdmin(api.url, `/dead-letters/${first}/skip`, {
      method: "POST",
      body: { reason: "a test" },
      headers: { "x-synap-actor": "ada" },
    });
    await callAdmin(api.url, "/dead-letters/retry", { method: "POST", body: { handler: INGEST_HANDLER } });
    expect(await warnings()).toEqual([]);
    expect((await ask("/api/v1/status")).body.notStored).toEqual({ open: 0, skipped: 1 });
    const metrics = await (await fetch(`${api.url}/metrics`)).text();
    expect(metrics).toContain('synap_not_stored_dead_letters{status="skipped"} 1\n');
    const { body } = await callAdmin(api.url, `/dead-letters?status=skipped&handler=${INGEST_HANDLER}`);
    expect(body.deadLetters).toMatchObject([{ id: first, resolvedBy: "ada", resolution: "a test" }]);
    await present.close();
  });
});
