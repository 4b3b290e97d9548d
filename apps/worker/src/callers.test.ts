import { describeOnEveryEngine } from "@synap/database/testing";
import { postChunked, requestRaw, UNSOUND_FRAMING } from "@synap/http/testing";
import { ConfigurationError } from "@synap/service";
import { engineOn } from "@synap/synap/testing/engine-on.ts";
import { createSynapEvent, type SynapEvent } from "@synap/types";
import { ENVELOPE_EVENT_NAME } from "@synap/types/internal";
import { Inngest } from "inngest";
import { pino } from "pino";
import { expect, it } from "vitest";
import { startBrokerAndWorker } from "../testing/broker-and-worker.ts";
import { canonical, EVENT_KEY, signed } from "../testing/signed-call.ts";
import { readWorkerConfiguration } from "./configuration.ts";
import { startWorker } from "./server.ts";

const json = { "content-type": "application/json" };
const logger = pino({ level: "silent" });

/** Headers that a page of another site can make a browser send, and those after DNS rebinding to 127.0.0.1. */
const foreign: readonly (readonly [string, Record<string, string>, number])[] = [
  ["a page's simple request", { "content-type": "text/plain", origin: "https://evil.example" }, 403],
  ["a page without an origin", { "content-type": "text/plain" }, 415],
  [
    "a page of a rebound name",
    { ...json, host: "evil.example:3401", origin: "http://evil.example:3401" },
    403,
  ],
  ["a page of another port here", { ...json, origin: "http://127.0.0.1:5173" }, 403],
  ["a browser that names the other site", { ...json, "sec-fetch-site": "cross-site" }, 403],
];

async function ask(url: string, method: string, headers: Record<string, string>, body = ""): Promise<number> {
  return (await requestRaw(url, { method, headers, body })).status;
}

/** The call with which Inngest has an envelope stored. */
function storingCall(event: SynapEvent): string {
  const envelope = {
    id: "of-the-call",
    name: ENVELOPE_EVENT_NAME,
    data: { events: [event] },
    ts: 1,
    user: {},
  };
  const ctx = { attempt: 0, disable_immediate_execution: false, max_attempts: 1, run_id: "01M7YF28" };
  const stack = { current: 0, stack: [] };
  return canonical({
    ctx: { ...ctx, stack, use_api: false },
    event: envelope,
    events: [envelope],
    steps: {},
    use_api: false,
    version: 1,
  });
}

const storeCall = "/api/inngest?fnId=synap-ingest-events&stepId=step";
const note = () => createSynapEvent({ type: "note.creation.completed", data: { content: "x" } });

describeOnEveryEngine("access to the worker", (engine) => {
  const stored = async (id: string) =>
    (await engine.database.query("SELECT id FROM synap.events WHERE id = $1", [id])).length;

  it("is refused to pages of other sites, whatever they request and sign", async () => {
    const running = await startBrokerAndWorker(engine.database);
    try {
      const before = await running.functions();
      const event = note();
      const call = storingCall(event);
      for (const [who, headers, status] of foreign) {
        const calling = await ask(running.url + storeCall, "POST", { ...signed(call), ...headers }, call);
        const syncing = await ask(`${running.url}/api/inngest`, "PUT", { ...signed("{}"), ...headers }, "{}");
        expect([who, calling, syncing]).toEqual([who, status, status]);
      }
      const rebound = { host: "evil.example" };
      for (const path of ["/healthz", "/readyz", "/api/inngest"]) {
        expect([path, await ask(running.url + path, "GET", rebound)]).toEqual([path, 403]);
      }
      expect(await running.functions()).toEqual(before);
      expect(await stored(event.id)).toBe(0);
    } finally {
      await running.stop();
    }
  });

  it("is refused for malformed HTTP and for oversized calls", async () => {
    const running = await startBrokerAndWorker(engine.database);
    try {
      for (const [headers, status] of UNSOUND_FRAMING) {
        const response = await postChunked(running.url, storeCall, headers, "{}");
        expect(response, headers).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      }
      for (const [reason, body] of [
        ["deeper", "[".repeat(257) + "]".repeat(257)],
        ["values", `[${"0,".repeat(6_400_000).slice(0, -1)}]`],
        ["bytes", JSON.stringify("x".repeat(32 * 1024 * 1024))],
      ] as const) {
        const response = await requestRaw(running.url + storeCall, { method: "POST", headers: json, body });
        expect([reason, response.status]).toEqual([reason, 413]);
        expect(response.body).toContain(reason);
      }
    } finally {
      await running.stop();
    }
  });

  it("requires a fresh signature of Inngest; a repeated call stores nothing twice", async () => {
    const running = await startBrokerAndWorker(engine.database);
    try {
      const before = await running.functions();
      const event = note();
      const call = storingCall(event);
      const minutes = 60_000;
      for (const headers of [
        json,
        { ...json, "x-inngest-signature": "t=1&s=" },
        signed(call, { key: "ab".repeat(32) }),
        signed(`${call} `),
        signed(call, { at: Date.now() - 6 * minutes }),
        signed(call, { at: Date.now() + 6 * minutes }),
      ]) {
        expect(await ask(running.url + storeCall, "POST", headers, call)).toBe(401);
      }
      expect(await ask(`${running.url}/api/inngest`, "PUT", json, "{}")).toBe(401);
      expect(await ask(`${running.url}/api/inngest`, "GET", {})).toBe(401);
      expect(await stored(event.id)).toBe(0);

      const headers = signed(call);
      for (let sent = 0; sent < 2; sent += 1) {
        expect(await ask(running.url + storeCall, "POST", headers, call)).toBe(200);
        expect(await stored(event.id)).toBe(1);
      }
      expect(await running.functions()).toEqual(before);
    } finally {
      await running.stop();
    }
  });

  it("reports its own address to Inngest, regardless of the Host it was called under", async () => {
    const running = await startBrokerAndWorker(engine.database, { allowedHosts: ["other.example"] });
    try {
      const before = JSON.stringify(await running.functions());
      expect(before).toContain(`"url":"${running.url}/api/inngest?`);
      const headers = { ...signed(""), host: "other.example" };
      expect(await ask(`${running.url}/api/inngest?deployId=x`, "PUT", headers)).toBe(200);
      const target = new URL(running.url);
      target.hostname = "localhost";
      expect(await ask(`${target.href}api/inngest`, "PUT", { ...signed("") })).toBe(200);
      expect(JSON.stringify(await running.functions())).toBe(before);
    } finally {
      await running.stop();
    }
  });

  it("is open to every program on this machine in development mode, but not to pages", async () => {
    const worker = await startWorker({
      configuration: { ...readWorkerConfiguration({}), port: 0, residentHandlers: false },
      engine: await engineOn(engine.database),
      inngest: new Inngest({ id: "synap", isDev: true, baseUrl: "http://127.0.0.1:9" }),
      logger,
    });
    try {
      const event = note();
      const call = storingCall(event);
      for (const [who, headers, status] of foreign) {
        expect([who, await ask(worker.url + storeCall, "POST", headers, call)]).toEqual([who, status]);
      }
      expect(await stored(event.id)).toBe(0);
      expect(await ask(worker.url + storeCall, "POST", json, call)).toBe(200);
      expect(await stored(event.id)).toBe(1);
    } finally {
      await worker.close();
    }
  });

  it("is never open: it does not start without a signing key or development mode", async () => {
    const starting = startWorker({
      configuration: { ...readWorkerConfiguration({}), port: 0 },
      engine: await engineOn(engine.database),
      inngest: new Inngest({ id: "synap", isDev: false, eventKey: EVENT_KEY }),
      logger,
    });
    await expect(starting).rejects.toThrow(ConfigurationError);
    await expect(starting).rejects.toThrow(/INNGEST_SIGNING_KEY.*INNGEST_DEV=1/s);
  });
});
