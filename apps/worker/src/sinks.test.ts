import { createTestDatabase, type TestDatabase } from "@synap/database/testing";
import { defineSink } from "@synap/handlers";
import { createSynapEvent } from "@synap/types";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BrokerAndWorker, startBrokerAndWorker } from "../testing/broker-and-worker.ts";

describe("the sinks of a worker", () => {
  let test: TestDatabase;
  let running: BrokerAndWorker | undefined;
  beforeEach(async () => {
    test = await createTestDatabase("embedded");
  });
  afterEach(async () => {
    await running?.stop();
    await test.drop();
  });

  const note = (content: string) => createSynapEvent({ type: "note.creation.completed", data: { content } });

  /** A sink whose destination answers from a certain moment on. */
  function waitingSink() {
    const got: string[] = [];
    let isDown = true;
    let isClosed = false;
    const sink = defineSink({
      name: "waiting",
      description: "Takes notes.",
      eventTypes: ["note.creation.completed"],
      promise: {
        destination: "memory",
        ordered: true,
        transactional: false,
        idempotent: false,
        guarantee: "at least once",
        keepsCheckpoint: false,
      },
      open: async () => ({
        checkpoint: async () => undefined,
        apply: async (events) => {
          if (isDown) throw new Error("The destination is down.");
          got.push(...events.map(({ id }) => id));
          return events.map(() => ({ status: "applied" }));
        },
        close: async () => {
          isClosed = true;
        },
      }),
    });
    return { sink, got, isClosed: () => isClosed, recover: () => (isDown = false) };
  }

  const metric = async (name: string) => {
    const text = await (await fetch(`${running?.url}/metrics`)).text();
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  };

  it("follow the log, wait for a destination that is down, show in the metrics, and end with it", async () => {
    const { sink, got, recover, isClosed } = waitingSink();
    running = await startBrokerAndWorker(test.database, { sinks: [sink], residentHandlers: true });
    const events = [note("one"), note("two")];
    await running.publish({ events });
    await expect.poll(() => metric('synap_handler_lag_events{handler="waiting"}')).toBe(2);
    expect(got).toEqual([]);
    recover();
    await expect.poll(() => got, { timeout: 10_000 }).toEqual(events.map(({ id }) => id));
    await expect.poll(() => metric('synap_handler_lag_events{handler="waiting"}')).toBe(0);
    await running.stop();
    running = undefined;
    expect(isClosed()).toBe(true);
  });
});
