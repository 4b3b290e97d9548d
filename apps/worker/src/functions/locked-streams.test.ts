import { randomUUID } from "node:crypto";
import { createEventStore } from "@synap/database/internal";
import {
  createTestDatabase,
  type HeldStream,
  holdStreams,
  serverUrl,
  type TestDatabase,
  testEngines,
} from "@synap/database/testing";
import { createSynapEvent, type StreamName, type SynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type BrokerAndWorker, startBrokerAndWorker } from "../../testing/broker-and-worker.ts";

const aggregateType = "note";
const note = (aggregateId: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId, data: { content: "x" } });

describe.runIf(testEngines().includes("server"))("ingest-events while a stream is locked", () => {
  let test: TestDatabase;
  let url = "";
  let running: BrokerAndWorker;
  let held: HeldStream | undefined;
  beforeAll(async () => {
    test = await createTestDatabase("server");
    url = serverUrl(test);
    running = await startBrokerAndWorker(test.database);
  });
  afterEach(() => held?.release());
  afterAll(async () => {
    await running.stop();
    await test.drop();
  });

  const store = () => createEventStore({ database: test.database, catalogue: seedCatalogue });
  const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 45_000, interval: 50 });
  const failedAttempts = () => running.failedAttempts("ingest-events");

  async function newStream(): Promise<StreamName> {
    const aggregateId = randomUUID();
    await store().append(note(aggregateId));
    return { aggregateType, aggregateId };
  }

  /** The ids of a stream's events, in its order, without the first. */
  async function later({ aggregateId }: StreamName): Promise<string[]> {
    const { events } = await store().readStreamPage({ aggregateType, aggregateId }, { fromVersion: 2 });
    return events.map(({ id }) => id);
  }

  it("stores the events of all other streams, and those of the locked one when it is unlocked, in order and once", async () => {
    const [stuck, free] = [await newStream(), await newStream()];
    held = await holdStreams(url, [stuck]);
    const ofStuck = [note(stuck.aggregateId), note(stuck.aggregateId), note(stuck.aggregateId)];
    const ofFree = [note(free.aggregateId), note(free.aggregateId)];
    const fresh = note(randomUUID());
    const bad = { ...note(randomUUID()), data: { content: 7 } };
    await running.publish({ events: [ofStuck[0], ofFree[0], ofStuck[1], bad, ofFree[1], ofStuck[2], fresh] });
    await eventually(async () => expect(await failedAttempts()).toBeGreaterThan(0));
    expect(await later(free)).toEqual(ofFree.map(({ id }) => id));
    expect(await store().getById(fresh.id)).toMatchObject({ streamVersion: 1 });
    expect(await later(stuck)).toEqual([]);
    await held.release();
    await eventually(async () => expect(await later(stuck)).toEqual(ofStuck.map(({ id }) => id)));
    await eventually(async () =>
      expect((await running.runs("ingest-events")).at(-1)).toMatchObject({
        status: "completed",
        output: { events: 7, stored: 3, duplicates: 3, rejected: 1 },
      }),
    );
    expect(await later(free)).toEqual(ofFree.map(({ id }) => id));
  });

  it("continues with other envelopes, however many have events of the locked stream", async () => {
    const [stuck, free] = [await newStream(), await newStream()];
    held = await holdStreams(url, [stuck]);
    const ofStuck = Array.from({ length: 12 }, () => note(stuck.aggregateId));
    for (const event of ofStuck) await running.publish({ events: [event] });
    const ofFree = note(free.aggregateId);
    await running.publish({ events: [ofFree] });
    await eventually(async () => expect(await later(free)).toEqual([ofFree.id]));
    expect(await later(stuck)).toEqual([]);
    await held.release();
    await eventually(async () =>
      expect(new Set(await later(stuck))).toEqual(new Set(ofStuck.map(({ id }) => id))),
    );
    expect(await later(stuck)).toHaveLength(12);
  });

  it("publishes the envelope again when the retries run out before the stream is unlocked", async () => {
    await running.stop();
    running = await startBrokerAndWorker(test.database, { ingestRetries: 0 });
    const stuck = await newStream();
    held = await holdStreams(url, [stuck]);
    const event = note(stuck.aggregateId);
    await running.publish({ events: [event] });
    await eventually(async () =>
      expect((await running.runs("ingest-events-failure")).at(-1)?.output).toEqual({
        publishedAgain: expect.any(String),
      }),
    );
    expect(await later(stuck)).toEqual([]);
    await held.release();
    await eventually(async () => expect(await later(stuck)).toEqual([event.id]));
  });
});
