import { createEventStore } from "@synap/database/internal";
import { HOLDER_NAME, holdStreams, testEngines } from "@synap/database/testing";
import { createSynapEvent, type StreamName, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

/** More than the API has connections. */
const MANY = 14;
/** Longer than these tests take. */
const ENDLESS = 120_000;

describe.runIf(testEngines().includes("server"))("while another session has locked a stream", () => {
  let api: TestApi;
  let impatient: TestApi;
  beforeAll(async () => {
    api = await startTestApi({}, "server", { lockTimeout: ENDLESS });
    impatient = await startTestApi({}, "server", { lockTimeout: 200 });
  });
  afterAll(async () => {
    await api.stop();
    await impatient.stop();
  });

  const event = () => createSynapEvent({ type: "note.creation.requested", data: { content: "x" } });
  async function newStream(of: TestApi): Promise<StreamName> {
    const { aggregateType, aggregateId } = event();
    const store = createEventStore({ database: of.database, catalogue: seedCatalogue });
    await store.append({ ...event(), aggregateType, aggregateId });
    return { aggregateType, aggregateId };
  }
  async function hold(of: TestApi, stream: StreamName) {
    const held = await holdStreams(of.databaseUrl ?? "", [stream]);
    onTestFinished(() => held.release());
    return held;
  }
  const post = (of: TestApi, { aggregateType, aggregateId }: StreamName, rest: string, body: unknown) =>
    fetch(`${of.url}/api/v1/streams/${aggregateType}/${aggregateId}/${rest}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const append = (of: TestApi, stream: StreamName) => {
    const { id, type, data } = event();
    return post(of, stream, "events", { events: [{ id, type, data }] });
  };

  it("appends and closes are answered 503 with the stream's name, and nothing is stored", async () => {
    const stream = await newStream(impatient);
    const held = await hold(impatient, stream);
    for (const refused of [await append(impatient, stream), await post(impatient, stream, "close", {})]) {
      expect(refused.status).toBe(503);
      expect(refused.headers.get("retry-after")).toBe("2");
      expect(await refused.json()).toMatchObject({ code: "stream-locked", streams: [stream] });
    }
    await held.release();
    const stored = await append(impatient, stream);
    expect([stored.status, stored.headers.get("etag")]).toEqual([201, '"2"']);
  });

  it("reads, the status, readiness and appends to others go on, and the status names the session", async () => {
    const [stream, other] = [await newStream(api), await newStream(api)];
    const held = await hold(api, stream);
    const done: string[] = [];
    const waiting = Array.from({ length: MANY }, async () => {
      const { status } = await append(api, stream);
      done.push(`waited ${status}`);
    });
    const readText = async (path: string) => (await fetch(`${api.url}${path}`)).text();
    // Between two attempts no append waits, so a single look may find no holder.
    let status: { lockHolders?: unknown[]; connections?: unknown } = {};
    const readStatus = async () => {
      status = JSON.parse(await readText("/api/v1/status"));
      return status;
    };
    await expect.poll(readStatus).toMatchObject({
      lockHolders: [{ pid: held.pid, applicationName: HOLDER_NAME, state: "idle in transaction" }],
    });
    expect(status.lockHolders?.[0]).not.toHaveProperty("query");
    expect(status.connections).toMatchObject([{ purpose: "reads" }, { purpose: "writes" }]);
    await expect
      .poll(() => readText("/metrics"))
      .toContain(`synap_lock_waits{pid="${held.pid}",application="${HOLDER_NAME}"}`);
    for (const path of [
      `/api/v1/streams/${stream.aggregateType}/${stream.aggregateId}`,
      `/api/v1/events?aggregateId=${stream.aggregateId}`,
      "/api/v1/events",
      "/readyz",
    ]) {
      expect([path, (await fetch(`${api.url}${path}`)).status]).toEqual([path, 200]);
    }
    expect((await append(api, other)).status).toBe(201);
    expect(done).toEqual([]);
    await held.release();
    await Promise.all(waiting);
    expect(done).toEqual(waiting.map(() => "waited 201"));
  });
});
