import { randomBytes } from "node:crypto";
import { openEnvelope } from "@synap/handlers/internal";
import { createInngestClient } from "@synap/service";
import { createSynapEvent } from "@synap/types";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FaultBroker, startFaultBroker } from "../../testing/fault-broker.ts";
import {
  createInngestSender,
  type EnvelopeSender,
  MIN_ENVELOPE_BYTES,
  toOutgoingEvent,
} from "./envelopes.ts";
import { createEventApi, type EventApi, type InngestBatch } from "./event-api.ts";

const logger = pino({ level: "silent" });
const outgoing = (content = "héllo 🌍") =>
  toOutgoingEvent(createSynapEvent({ type: "note.creation.requested", data: { content: content } }));

describe("sending envelopes to Inngest", () => {
  let broker: FaultBroker;
  let eventApi: EventApi;
  let send: EnvelopeSender;

  beforeEach(async () => {
    broker = await startFaultBroker();
    eventApi = createEventApi(createInngestClient({ baseUrl: broker.url, isDev: true, logger }));
    send = createInngestSender(eventApi, { maxBytes: MIN_ENVELOPE_BYTES, deadlineMs: 3_000, logger });
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
    broker.behaviour = () => (left-- > 0 ? "break" : "accept");
    await send([outgoing()]);
    expect(broker.received).toHaveLength(1);
    expect(broker.attempts()).toBe(3);
  });

  it.each([
    ["plain", 1],
    ["packed", 500],
  ])("sends the same bytes again when the broker's response was lost (%s)", async (form, count) => {
    let left = 1;
    broker.behaviour = () => (left-- > 0 ? "accept-and-break" : "accept");
    await send(Array.from({ length: count }, () => outgoing()));
    const [first, second, ...others] = broker.received;
    expect(others).toEqual([]);
    expect(first?.isPacked).toBe(form === "packed");
    expect(second).toEqual(first);
  });

  const incompressible = (count: number) =>
    Array.from({ length: count }, () => outgoing(randomBytes(60_000).toString("base64")));

  it("sends events that don't compress in several envelopes, in order", async () => {
    const events = incompressible(8);
    expect(await send(events)).toBe(8);
    expect(broker.received.length).toBeGreaterThan(1);
    expect(broker.received.flatMap((envelope) => envelope.events)).toEqual(events.map(({ event }) => event));
  });

  it("sends none of several envelopes after one that fails, and reports the events of those before", async () => {
    let sends = 0;
    const accepted: unknown[] = [];
    const failing = {
      send: async ({ json }: InngestBatch) => {
        sends += 1;
        if (sends === 2) throw new Error("refused by the test");
        accepted.push(...(await openEnvelope(JSON.parse(json)[0].data)));
      },
    };
    const sender = createInngestSender(failing, { maxBytes: MIN_ENVELOPE_BYTES, deadlineMs: 3_000, logger });
    const events = incompressible(8);
    const count = await sender(events);
    expect(count).toBeGreaterThan(0);
    expect(accepted).toEqual(events.slice(0, count).map(({ event }) => event));
    expect(sends).toBe(2);
    // The next call is not affected.
    expect(await sender([outgoing()])).toBe(1);
  });

  it("begins to send in the order of the calls, although small envelopes are packed sooner", async () => {
    const sent: number[] = [];
    const recording = {
      send: async ({ json }: InngestBatch) => void sent.push(json.length),
    };
    const sender = createInngestSender(recording, { maxBytes: 3_000_000, deadlineMs: 3_000, logger });
    await Promise.all([
      sender(Array.from({ length: 1_000 }, () => outgoing(randomBytes(2_000).toString("base64")))),
      sender(Array.from({ length: 100 }, () => outgoing())),
      sender([outgoing()]),
    ]);
    expect(sent).toHaveLength(3);
    expect(sent).toEqual(sent.toSorted((one, other) => other - one));
  });

  it("gives up when the broker keeps refusing", async () => {
    broker.behaviour = "refuse";
    expect(await send([outgoing()])).toBe(0);
    expect(broker.attempts()).toBe(5);
  });

  it("gives up when no server listens", async () => {
    await broker.stop();
    expect(await send([outgoing()])).toBe(0);
  });

  it("gives up on a broker that accepts the connection and does not answer", async () => {
    broker.behaviour = "hang";
    const impatient = createInngestSender(eventApi, {
      maxBytes: MIN_ENVELOPE_BYTES,
      deadlineMs: 300,
      logger,
    });
    expect(await impatient([outgoing()])).toBe(0);
    broker.behaviour = "accept";
    await send([outgoing()]);
    expect(broker.received).toHaveLength(1);
  });
});
