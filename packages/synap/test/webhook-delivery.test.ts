import { randomBytes } from "node:crypto";
import type { StoredEvent } from "@synap/types";
import { createSynapEvent } from "@synap/types";
import { afterEach, describe, expect, it } from "vitest";
import { deliver, type WebhookDelivery, webhookMemory } from "../src/sinks/webhook-delivery.ts";
import { openWebhook } from "../src/sinks/webhook-request.ts";
import { readWebhookKeys } from "../src/sinks/webhook-signature.ts";
import { webhookTarget } from "../src/sinks/webhook-target.ts";
import { startReceiver } from "../testing/webhook-receiver.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function note(aggregateId: string, position: number): StoredEvent {
  const event = createSynapEvent({ type: "note.creation.completed", aggregateId, data: { content: "x" } });
  return { ...event, position, streamVersion: 1, recordedAt: event.timestamp };
}
const events = ["a", "a", "b"].map((stream, index) => note(stream, index + 1));
const { signal } = new AbortController();
const late = { aggregateType: "note", aggregateId: "a" };

/** Delivers events to a receiver that answers all of them with one status. */
async function begin(status: number | (() => number), options: Partial<WebhookDelivery> = {}) {
  const receiver = await startReceiver(() => (typeof status === "number" ? status : status()));
  const network = { http: true, ports: [receiver.port], allow: ["127.0.0.1"] };
  const target = webhookTarget("partner", `http://127.0.0.1:${receiver.port}/`, network);
  const { post, close } = openWebhook(target, { connectMs: 5_000, requestMs: 10_000 }, 1);
  cleanups.push(() => receiver.kill(), close);
  const delivery: WebhookDelivery = {
    sink: "partner",
    keys: readWebhookKeys("partner", [`whsec_${randomBytes(32).toString("base64")}`]),
    post,
    concurrency: 1,
    after: 0,
    beginsWithinMs: 60_000,
    memory: webhookMemory(),
    ...options,
  };
  return { delivery, receiver };
}

const statusesOf = async (outcomes: ReturnType<typeof deliver>) =>
  (await outcomes).map(({ status }) => status);

describe("a call that takes long", () => {
  it("leaves the rest for another one, which does not repeat what was taken", async () => {
    const { delivery, receiver } = await begin(200, { beginsWithinMs: -1 });
    expect(await statusesOf(deliver(delivery, events, { from: 0, signal }))).toEqual([
      "applied",
      "waiting",
      "waiting",
    ]);
    expect(await statusesOf(deliver(delivery, events, { from: 0, signal }))).toEqual([
      "applied",
      "applied",
      "waiting",
    ]);
    expect(receiver.received).toHaveLength(2);
    // The next batch: those of this one can be forgotten.
    await deliver(delivery, [], { from: 3, signal });
    expect(delivery.memory.delivered.size).toBe(0);
  });

  it("goes on to the end with late events, of which none may be left out", async () => {
    const { delivery, receiver } = await begin(200, { beginsWithinMs: -1 });
    const ofStream = events.slice(0, 2);
    expect(await statusesOf(deliver(delivery, ofStream, { from: 0, signal, late }))).toEqual([
      "applied",
      "applied",
    ]);
    expect(receiver.received).toHaveLength(2);
  });
});

describe("an answer with 500", () => {
  it("is the event's when that is late: the others must not wait behind it", async () => {
    const { delivery } = await begin(500);
    const ofStream = events.slice(0, 2);
    expect(await statusesOf(deliver(delivery, ofStream, { from: 0, signal, late }))).toEqual([
      "failed",
      "waiting",
    ]);
    await expect(deliver(delivery, ofStream, { from: 0, signal })).rejects.toThrow(/answered 500\.$/);
  });
});

describe("an answer with 500 for the last event of a batch", () => {
  it("is the event's, also when the others were delivered by a call that failed then", async () => {
    const answers = [200, 503, 500];
    const { delivery } = await begin(() => answers.shift() ?? 200);
    const two = [note("a", 1), note("b", 2)];
    await expect(deliver(delivery, two, { from: 0, signal })).rejects.toThrow(/answered 503\.$/);
    expect(await statusesOf(deliver(delivery, two, { from: 0, signal }))).toEqual(["applied", "failed"]);
  });

  it("is the receiver's while several streams are left", async () => {
    const answers = [200, 503, 500, 500];
    const { delivery } = await begin(() => answers.shift() ?? 200);
    const three = [note("a", 1), note("b", 2), note("c", 3)];
    await expect(deliver(delivery, three, { from: 0, signal })).rejects.toThrow(/answered 503\.$/);
    await expect(deliver({ ...delivery, concurrency: 2 }, three, { from: 0, signal })).rejects.toThrow(
      /answered 500\.$/,
    );
  });
});

describe("many requests at a time", () => {
  it("are no reason for a warning", async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error) => void warnings.push(warning);
    process.on("warning", listener);
    cleanups.push(() => process.off("warning", listener));
    const { delivery } = await begin(200, { concurrency: 16 });
    const many = Array.from({ length: 16 }, (_, index) => note(`s-${index}`, index + 1));
    const range = { from: 0, signal: new AbortController().signal };
    await deliver(delivery, many, range);
    expect(warnings).toEqual([]);
  });
});

describe("onAttempt", () => {
  it("may fail, which changes nothing", async () => {
    const onAttempt = () => {
      throw new Error("The log is full.");
    };
    const { delivery } = await begin(200, { onAttempt });
    expect(await statusesOf(deliver(delivery, events, { from: 0, signal }))).toEqual([
      "applied",
      "applied",
      "applied",
    ]);
  });
});
