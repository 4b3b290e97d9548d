import { setImmediate as nextTurn } from "node:timers/promises";
import { createSynapEvent } from "@synap/types";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ENVELOPE_OVERHEAD_BYTES, type OutgoingEvent, sizeInEnvelope, toOutgoingEvent } from "./envelopes.ts";
import {
  Publisher,
  PublisherClosedError,
  PublisherFullError,
  type PublisherOptions,
  type PublishOutcome,
} from "./publisher.ts";

const OPTIONS: PublisherOptions = {
  concurrency: 2,
  lingerMs: 5,
  // A test that comes near these two moves the clock itself.
  deadlineMs: 3_600_000,
  maxQueuedEvents: 10_000,
  maxQueuedBytes: 10_000_000,
  maxWaitMs: 3_600_000,
  envelope: { maxEvents: 1_000, maxBytes: 100_000, maxGatheredBytes: 100_000 },
};

function eventOf(size = 10): OutgoingEvent {
  const data = { content: "x".repeat(size) };
  return toOutgoingEvent(createSynapEvent({ type: "note.creation.requested", data }));
}

const eventsOf = (count: number) => Array.from({ length: count }, () => eventOf());

/**
 * A sender that remembers the events it acknowledged, call by call, and waits as `behave` says. This may give the number of
 * events to acknowledge; the default is all of them.
 */
function recordingSender(behave: (envelope: number) => Promise<unknown> = () => Promise.resolve()) {
  const acknowledged: (readonly OutgoingEvent[])[] = [];
  let sends = 0;
  const send = async (events: readonly OutgoingEvent[]) => {
    sends += 1;
    const some = await behave(sends);
    const accepted = events.slice(0, typeof some === "number" ? some : events.length);
    acknowledged.push(accepted);
    return accepted.length;
  };
  return { send, acknowledged, sends: () => sends };
}

describe("the properties of the publisher", () => {
  it("reports exactly the acknowledged events as accepted, each sent once, in order, within both limits", async () => {
    const request = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 40 });
    const scenario = fc.record({
      requests: fc.array(request, { minLength: 1, maxLength: 12 }),
      failing: fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(4)), { maxLength: 10 }),
      maxEvents: fc.integer({ min: 1, max: 30 }),
      maxBytes: fc.integer({ min: 1_500, max: 8_000 }),
      gatheredRatio: fc.integer({ min: 1, max: 3 }),
      concurrency: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ requests, failing, concurrency, ...limits }) => {
        const { maxEvents, maxBytes } = limits;
        const acceptedOf = new Map(failing);
        const { send, acknowledged } = recordingSender(async (envelope) => {
          for (let turn = 0; turn < envelope % 3; turn += 1) await nextTurn();
          return acceptedOf.get(envelope);
        });
        const maxGatheredBytes = limits.gatheredRatio * maxBytes;
        const envelope = { maxEvents, maxBytes, maxGatheredBytes };
        const publisher = new Publisher(send, { ...OPTIONS, concurrency, lingerMs: 1, envelope });
        const sent = requests.map((sizes) => sizes.map((size) => eventOf(size)));
        const outcomes = await Promise.all(sent.map((events) => publisher.publish(events)));

        const acknowledgedIds = acknowledged.flat().map(({ event }) => event.id);
        const withOutcome = (outcome: PublishOutcome) =>
          sent.flatMap((events, place) => events.filter((_, index) => outcomes[place]?.[index] === outcome));
        expect([...acknowledgedIds].sort()).toEqual(
          withOutcome("accepted")
            .map(({ event }) => event.id)
            .sort(),
        );
        for (const event of withOutcome("too-large")) {
          expect(ENVELOPE_OVERHEAD_BYTES + sizeInEnvelope(event)).toBeGreaterThan(maxBytes);
        }
        for (const events of acknowledged) {
          expect(events.length).toBeLessThanOrEqual(maxEvents);
          expect(
            Buffer.byteLength(JSON.stringify({ events: events.map(({ event }) => event) })),
          ).toBeLessThanOrEqual(maxGatheredBytes);
          for (const request of sent) {
            const places = events.map((event) => request.indexOf(event)).filter((place) => place >= 0);
            expect(places).toEqual([...places].sort((a, b) => a - b));
          }
        }
        expect(publisher.state()).toMatchObject({ queuedEvents: 0, queuedBytes: 0, envelopesInFlight: 0 });
      }),
      { numRuns: 60 },
    );
  });
});

/** Until the test ends the publisher's clock moves only when the test moves it. */
function fakeTheClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
}

/** Simulates a broker that takes this long to accept an envelope. */
const acceptsAfter = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe("the publisher", () => {
  it("batches concurrent requests in one envelope", async () => {
    const { send, acknowledged } = recordingSender();
    const publisher = new Publisher(send, OPTIONS);
    await Promise.all(eventsOf(100).map((event) => publisher.publish([event])));
    expect(acknowledged.map((events) => events.length)).toEqual([100]);
  });

  it("sends a lone event at once, and batches others while it is in flight", async () => {
    fakeTheClock();
    const { send, acknowledged } = recordingSender(acceptsAfter(100));
    const publisher = new Publisher(send, { ...OPTIONS, lingerMs: 1_000 });
    const published = [publisher.publish([eventOf()])];
    for (const event of eventsOf(20)) {
      await vi.advanceTimersByTimeAsync(2);
      published.push(publisher.publish([event]));
    }
    // Less than the linger: the second envelope leaves because the first has come back.
    await vi.advanceTimersByTimeAsync(160);
    await Promise.all(published);
    expect(acknowledged.map((events) => events.length)).toEqual([1, 20]);
  });

  it("batches events for as long as a slow broker takes to accept an envelope", async () => {
    fakeTheClock();
    const { send, acknowledged } = recordingSender(acceptsAfter(40));
    const publisher = new Publisher(send, { ...OPTIONS, lingerMs: 1 });
    const published: Promise<unknown>[] = [];
    const publishAndWait = async (ms: number) => {
      published.push(publisher.publish([eventOf()]));
      await vi.advanceTimersByTimeAsync(ms);
    };
    for (let envelope = 0; envelope < 20; envelope += 1) await publishAndWait(50);
    for (const ms of [5, 8, 200]) await publishAndWait(ms);
    await Promise.all(published);
    expect(acknowledged.slice(20).map((events) => events.length)).toEqual([1, 2]);
  });

  it("refuses only the event that does not fit into an envelope", async () => {
    const { send } = recordingSender();
    const publisher = new Publisher(send, OPTIONS);
    await expect(publisher.publish([eventOf(), eventOf(200_000), eventOf()])).resolves.toEqual([
      "accepted",
      "too-large",
      "accepted",
    ]);
  });

  it("refuses a request that does not fit into the queue as a whole, and accepts others afterwards", async () => {
    const { send, acknowledged } = recordingSender(() => nextTurn());
    const publisher = new Publisher(send, { ...OPTIONS, maxQueuedEvents: 10 });
    const first = publisher.publish(eventsOf(8));
    await expect(publisher.publish(eventsOf(3))).rejects.toBeInstanceOf(PublisherFullError);
    await first;
    await expect(publisher.publish(eventsOf(3))).resolves.toEqual(["accepted", "accepted", "accepted"]);
    expect(acknowledged.flat()).toHaveLength(11);
  });

  it("counts bytes as well as events", async () => {
    const { send } = recordingSender(() => nextTurn());
    const publisher = new Publisher(send, { ...OPTIONS, maxQueuedBytes: 3_000 });
    const first = publisher.publish([eventOf(2_000)]);
    await expect(publisher.publish([eventOf(2_000)])).rejects.toBeInstanceOf(PublisherFullError);
    await first;
  });

  it("refuses requests unread while sending the queue would take too long, and accepts others afterwards", async () => {
    fakeTheClock();
    const { send } = recordingSender(acceptsAfter(100));
    const envelope = { maxEvents: 1, maxBytes: 100_000, maxGatheredBytes: 100_000 };
    const publisher = new Publisher(send, { ...OPTIONS, concurrency: 1, maxWaitMs: 150, envelope });
    const first = publisher.publish(eventsOf(4));
    expect(() => publisher.assertCapacity()).not.toThrow();
    await vi.advanceTimersByTimeAsync(60);
    // Three wait behind one that has taken 60 ms already.
    expect(() => publisher.assertCapacity()).toThrow(PublisherFullError);
    await expect(publisher.publish([eventOf()])).rejects.toBeInstanceOf(PublisherFullError);
    await vi.advanceTimersByTimeAsync(400);
    await first;
    const again = publisher.publish([eventOf()]);
    await vi.advanceTimersByTimeAsync(100);
    await expect(again).resolves.toEqual(["accepted"]);
  });

  it("answers by the deadline, and does not send events that are still queued then", async () => {
    fakeTheClock();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { send, sends } = recordingSender(() => held);
    const publisher = new Publisher(send, { ...OPTIONS, concurrency: 1, deadlineMs: 40 });
    for (let request = 0; request < 2; request += 1) {
      const published = publisher.publish([eventOf()]);
      await vi.advanceTimersByTimeAsync(40);
      // The clock does not advance from here on, so it answers by the deadline or never.
      await expect(published).resolves.toEqual(["unavailable"]);
    }
    vi.useRealTimers();
    release();
    await publisher.flush();
    expect(sends()).toBe(1);
    expect(publisher.state()).toMatchObject({ queuedEvents: 0, queuedBytes: 0, envelopesInFlight: 0 });
  });

  it("sends queued events on closing, then accepts no more", async () => {
    fakeTheClock();
    const { send, acknowledged } = recordingSender(acceptsAfter(10));
    const publisher = new Publisher(send, { ...OPTIONS, concurrency: 1, lingerMs: 10_000 });
    const published = [publisher.publish([eventOf()])];
    await vi.advanceTimersByTimeAsync(5);
    published.push(publisher.publish([eventOf()]));
    const closed = publisher.close();
    await vi.advanceTimersByTimeAsync(15);
    await closed;
    await expect(Promise.all(published)).resolves.toEqual([["accepted"], ["accepted"]]);
    expect(acknowledged.flat()).toHaveLength(2);
    await expect(publisher.publish([eventOf()])).rejects.toBeInstanceOf(PublisherClosedError);
  });
});
