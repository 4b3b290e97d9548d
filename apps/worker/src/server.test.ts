import type { Database } from "@synap/database";
import {
  areFunctionsRegistered,
  createEventStore,
  extendChain,
  listDeadLetters,
  startPresence,
  verifyChain,
} from "@synap/database/internal";
import { createTestDatabase, describeOnEveryEngine } from "@synap/database/testing";
import { INGEST_HANDLER, keepAccepted } from "@synap/handlers/internal";
import { engineOn } from "@synap/synap/testing/engine-on.ts";
import { createSynapEvent } from "@synap/types";
import { INNGEST_APP_ID } from "@synap/types/internal";
import { newerCatalogue, parcelSent } from "@synap/types/testing";
import { Inngest } from "inngest";
import { pino } from "pino";
import { expect, it, vi } from "vitest";
import { startBrokerAndWorker } from "../testing/broker-and-worker.ts";
import { readWorkerConfiguration } from "./configuration.ts";
import { startWorker } from "./server.ts";

describeOnEveryEngine("the worker", (engine) => {
  it("registers functions with readable names", async () => {
    const running = await startBrokerAndWorker(engine.database);
    try {
      expect(await running.functions()).toMatchObject([
        {
          id: "synap-ingest-events",
          name: "Store published events",
          triggers: [{ event: "synap/events.published" }],
          concurrency: { limit: engine.engine === "embedded" ? 2 : 4 },
          steps: { step: { retries: { attempts: 20 } } },
        },
        {
          id: "synap-ingest-events-failure",
          name: "Recover envelopes that could not be stored",
          triggers: [
            {
              event: "inngest/function.failed",
              expression: "event.data.function_id == 'synap-ingest-events'",
            },
            {
              event: "inngest/function.cancelled",
              expression: "event.data.function_id == 'synap-ingest-events'",
            },
          ],
          steps: { step: { retries: { attempts: 20 } } },
        },
        {
          id: "synap-catch-up-handlers",
          name: "Catch up the handlers",
          triggers: [{ cron: "* * * * *" }],
          concurrency: { limit: 1 },
        },
      ]);
    } finally {
      await running.stop();
    }
  });

  const checks = { database: "ok", migrations: "ok", write: "ok" };

  const workerOn = async (database: Database) =>
    startWorker({
      configuration: { ...readWorkerConfiguration({}), port: 0, residentHandlers: false },
      engine: await engineOn(database),
      inngest: new Inngest({ id: "synap", isDev: true }),
      logger: pino({ level: "silent" }),
    });

  it("reports liveness, and readiness of the store", async () => {
    const own = await createTestDatabase(engine.engine);
    const worker = await workerOn(own.database);
    try {
      expect(await (await fetch(`${worker.url}/healthz`)).json()).toEqual({ status: "ok" });
      expect(await (await fetch(`${worker.url}/readyz`)).json()).toEqual({
        status: "ok",
        checks,
        warnings: [],
      });
      await own.database.close();
      expect((await fetch(`${worker.url}/readyz`)).status).toBe(503);
      expect((await fetch(`${worker.url}/healthz`)).status).toBe(200);
    } finally {
      await worker.close();
      await own.drop();
    }
  });

  it("answers /healthz with 503 once the embedded engine has ended", async () => {
    const own = await createTestDatabase("embedded");
    const worker = await workerOn(own.database);
    try {
      const health = async () => (await fetch(`${worker.url}/healthz`)).status;
      expect(await health()).toBe(200);
      // Recursion deeper than the machine's stack, which PostgreSQL is made to think larger: a trap that nothing catches.
      const breaking = own.database.asOwner(async (owner) => {
        await owner.query("SET max_stack_depth = '60MB'");
        await owner.query(
          "CREATE FUNCTION endless(i int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN endless(i + 1) + 1; END'",
        );
        await owner.query("SELECT endless(1)");
      });
      await expect(breaking).rejects.toThrow();
      await expect.poll(health).toBe(503);
    } finally {
      await worker.close();
      await own.drop();
    }
  });

  it("warns of a chunk that was dropped, and of what the last verification found", async () => {
    const own = await createTestDatabase(engine.engine);
    const { database } = own;
    const worker = await startWorker({
      configuration: { ...readWorkerConfiguration({}), port: 0, residentHandlers: false },
      engine: await engineOn(database),
      inngest: new Inngest({ id: "synap", isDev: true }),
      logger: pino({ level: "silent" }),
    });
    try {
      const store = createEventStore({ database, catalogue: newerCatalogue });
      await store.append(parcelSent());
      await extendChain(database);
      const readiness = async () => (await fetch(`${worker.url}/readyz`)).json();
      expect(await readiness()).toMatchObject({ warnings: [] });
      await database.asOwner((owner) =>
        owner.query("SELECT public.drop_chunks('synap.events', now() + interval '2 days')"),
      );
      const missing = {
        code: "chunks-missing",
        detail: expect.stringContaining("1 chunk of events was dropped, the first with 1 event from"),
      };
      expect(await readiness()).toMatchObject({ warnings: [missing] });
      await verifyChain(database);
      const differs = {
        code: "log-differs",
        detail: expect.stringContaining("the log differed from its hash chain in 2 places"),
      };
      expect(await readiness()).toMatchObject({ warnings: [missing, differs] });
    } finally {
      await worker.close();
      await own.drop();
    }
  });

  it("warns of unknown event types of an API and of accepted events not stored, and closes dead letters of stored ones", async () => {
    const own = await createTestDatabase(engine.engine);
    const { database } = own;
    const logger = pino({ level: "silent" });
    const worker = await startWorker({
      configuration: { ...readWorkerConfiguration({}), port: 0, residentHandlers: false },
      engine: await engineOn(database),
      inngest: new Inngest({ id: "synap", isDev: true }),
      logger,
      presenceIntervalMs: 10,
    });
    const api = await startPresence({ database, role: "api", catalogue: newerCatalogue, logger });
    try {
      const event = parcelSent();
      await keepAccepted(database, event, { code: "unknown-event-type", reason: "x", attempts: 1 });
      const readiness = async () => (await fetch(`${worker.url}/readyz`)).json();
      expect(await readiness()).toEqual({
        status: "ok",
        checks,
        warnings: [
          {
            code: "event-types-differ",
            detail: `${api.instance} knows parcel.sent, which this process does not`,
          },
          { code: "accepted-events-not-stored", detail: expect.stringContaining("1 dead letter holds") },
        ],
      });
      await api.close();
      await createEventStore({ database, catalogue: newerCatalogue }).append(event);
      await vi.waitFor(
        async () => expect(await readiness()).toEqual({ status: "ok", checks, warnings: [] }),
        20_000,
      );
      expect(await listDeadLetters(database, { handler: INGEST_HANDLER })).toMatchObject([
        {
          status: "retried",
          resolvedBy: INGEST_HANDLER,
          resolution: expect.stringMatching(/^was already stored/),
        },
      ]);
    } finally {
      await api.close();
      await worker.close();
      await own.drop();
    }
  });

  it("serves metrics of stored events, append durations and handlers for Prometheus", async () => {
    const own = await createTestDatabase(engine.engine);
    const running = await startBrokerAndWorker(own.database, { residentHandlers: true });
    const metric = async (name: string) => {
      const text = await (await fetch(`${running.url}/metrics`)).text();
      const line = text.split("\n").find((each) => each.startsWith(`${name} `));
      return line === undefined ? 0 : Number(line.slice(name.length + 1));
    };
    try {
      const note = createSynapEvent({ type: "note.creation.requested", data: { content: "counted" } });
      for (const outcome of ["stored", "duplicate"]) {
        await running.publish({ events: [note] });
        await expect.poll(() => metric(`synap_ingested_events_total{outcome="${outcome}"}`)).toBe(1);
      }
      expect(await metric('synap_append_duration_seconds_count{operation="envelope",outcome="done"}')).toBe(
        2,
      );
      const handler = "note-creation-reactor";
      await expect
        .poll(() => metric(`synap_handler_events_total{handler="${handler}",outcome="processed"}`))
        .toBeGreaterThanOrEqual(1);
      await expect
        .poll(() => metric(`synap_handler_pass_duration_seconds_count{handler="${handler}",outcome="done"}`))
        .toBeGreaterThanOrEqual(1);
      await expect.poll(() => metric(`synap_handler_lag_events{handler="${handler}"}`)).toBe(0);
    } finally {
      await running.stop();
      await own.drop();
    }
  });

  it("is not ready before Inngest knows its functions, if it registers them itself", async () => {
    let before: Response | undefined;
    const running = await startBrokerAndWorker(engine.database, {
      serveOrigin: "http://worker.test:3401",
      beforeRegistering: async (url) => {
        before = await fetch(`${url}/readyz`);
      },
    });
    try {
      expect([before?.status, await before?.json()]).toEqual([
        503,
        {
          status: "unavailable",
          reason: expect.stringContaining("has not registered"),
          checks: { ...checks, functions: "not-registered" },
        },
      ]);
      expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    } finally {
      await running.stop();
    }
  });

  it("records its registration only after Inngest has accepted the functions", async () => {
    const own = await createTestDatabase(engine.engine);
    const silent = pino({ level: "silent" });
    const isRecorded = () => areFunctionsRegistered(own.database, INNGEST_APP_ID);
    const alone = await startWorker({
      configuration: { ...readWorkerConfiguration({}), port: 0, residentHandlers: false },
      engine: await engineOn(own.database),
      // Nothing listens there.
      inngest: new Inngest({
        id: INNGEST_APP_ID,
        isDev: true,
        baseUrl: "http://127.0.0.1:9",
        logger: silent,
      }),
      logger: silent,
    });
    await expect(alone.register()).rejects.toThrow("did not accept the functions");
    expect(await isRecorded()).toBe(false);
    await alone.close();
    const running = await startBrokerAndWorker(own.database);
    try {
      expect(await isRecorded()).toBe(true);
    } finally {
      await running.stop();
      await own.drop();
    }
  });

  it("finishes the running call when it is stopped, and refuses new ones", async () => {
    let begun = () => {};
    const inFlight = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const running = await startBrokerAndWorker(engine.database, {
      handlers: [
        {
          name: "slow",
          description: "Takes its time.",
          eventTypes: "all",
          mode: "inline",
          handle: async () => {
            begun();
            await new Promise((resolve) => setTimeout(resolve, 200));
          },
        },
      ],
    });
    const event = createSynapEvent({ type: "note.creation.completed", data: { content: "x" } });
    try {
      await running.publish({ events: [event] });
      await inFlight;
      await running.stopWorker();
      const rows = await engine.database.query("SELECT id FROM synap.events WHERE id = $1", [event.id]);
      expect(rows).toEqual([{ id: event.id }]);
      await expect(fetch(`${running.url}/healthz`)).rejects.toThrow();
    } finally {
      await running.stop();
    }
  });

  it("reports an address that is in use", async () => {
    const running = await startBrokerAndWorker(engine.database);
    try {
      const port = Number(new URL(running.url).port);
      const second = startWorker({
        configuration: { ...readWorkerConfiguration({}), port },
        engine: await engineOn(engine.database),
        inngest: new Inngest({ id: "synap", isDev: true }),
        logger: pino({ level: "silent" }),
      });
      await expect(second).rejects.toMatchObject({ code: "EADDRINUSE" });
    } finally {
      await running.stop();
    }
  });
});
