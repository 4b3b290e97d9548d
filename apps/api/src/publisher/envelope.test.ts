import { createInngestClient } from "@synap/service";
import { createSynapEvent } from "@synap/types";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FaultBroker, startFaultBroker } from "../../testing/fault-broker.ts";
import { createInngestSender, type EnvelopeSender, toOutgoingEvent } from "./envelope.ts";
import { createEventApi, type EventApi } from "./event-api.ts";

const logger = pino({ level: "silent" });
const outgoing = () =>
  toOutgoingEvent(createSynapEvent({ type: "note.creation.requested", data: { content: "héllo 🌍" } }));

describe("sending envelopes to Inngest", () => {
  let broker: FaultBroker;
  let eventApi: EventApi;
  let send: EnvelopeSender;

  beforeEach(async () => {
    broker = await startFaultBroker();
    eventApi = createEventApi(createInngestClient({ baseUrl: broker.url, isDev: true, logger }));
    send = createInngestSender(eventApi, 3_000, logger);
  });
  afterEach(async () => {
    eventApi.close();
    await broker.stop();
  });

  it("delivers the events unchanged, and the same events again under a new id", async () => {
    const events = [outgoing(), outgoing()];
    await send(events);
    await send(events);
    expect(broker.received.map((envelope) => envelope.events)).toEqual([
      events.map(({ event }) => event),
      events.map(({ event }) => event),
    ]);
    expect(new Set(broker.received.map(({ id }) => id)).size).toBe(2);
  });

  it("survives a broker that fails a few times", async () => {
    let left = 2;
    broker.mood = () => (left-- > 0 ? "break" : "accept");
    await send([outgoing()]);
    expect(broker.received).toHaveLength(1);
    expect(broker.attempts()).toBe(3);
  });

  it("sends again with the same id when the broker's response was lost", async () => {
    let left = 1;
    broker.mood = () => (left-- > 0 ? "accept-and-break" : "accept");
    await send([outgoing()]);
    expect(new Set(broker.received.map(({ id }) => id)).size).toBe(1);
    expect(broker.received).toHaveLength(2);
  });

  it("gives up when the broker keeps refusing", async () => {
    broker.mood = "refuse";
    await expect(send([outgoing()])).rejects.toThrow("refused by the test");
    expect(broker.attempts()).toBe(5);
  });

  it("gives up when no server listens", async () => {
    await broker.stop();
    await expect(send([outgoing()])).rejects.toThrow();
  });

  it("gives up on a broker that accepts the connection and does not answer", async () => {
    broker.mood = "hang";
    await expect(createInngestSender(eventApi, 300, logger)([outgoing()])).rejects.toThrow("within 300 ms");
    broker.mood = "accept";
    await send([outgoing()]);
    expect(broker.received).toHaveLength(1);
  });
});
