import { createHash } from "node:crypto";
import { openEnvelope } from "@synap/handlers/internal";
import { createSynapEvent, MAX_EVENT_BYTES } from "@synap/types";
import { ENVELOPE_EVENT_NAME, MAX_PACKED_JSON_BYTES } from "@synap/types/internal";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  envelopeLimits,
  MAX_PLAIN_BYTES,
  MIN_ENVELOPE_BYTES,
  type OutgoingEvent,
  packEnvelopes,
  toOutgoingEvent,
} from "./envelopes.ts";

const eventOf = (content: string) =>
  toOutgoingEvent(createSynapEvent({ type: "note.creation.requested", data: { content } }));
/** Text of this many characters, about which nothing but the seed is predictable. */
const noise = (characters: number, seed = 0) =>
  createHash("shake256", { outputLength: Math.ceil((characters * 3) / 4) })
    .update(String(seed))
    .digest("base64")
    .slice(0, characters);
const incompressible = (characters: number, seed?: number) => eventOf(noise(characters, seed));
const manyOf = (count: number, make: (index: number) => OutgoingEvent) =>
  Array.from({ length: count }, (_, index) => make(index));

const sentSchema = z.tuple([
  z.strictObject({
    name: z.literal(ENVELOPE_EVENT_NAME),
    id: z.string(),
    ts: z.int(),
    data: z.looseObject({}),
  }),
]);

/** Packs events, and returns the Inngest events as a broker receives them. */
async function pack(events: readonly OutgoingEvent[], maxBytes = MIN_ENVELOPE_BYTES) {
  const envelopes = await packEnvelopes(events, maxBytes);
  return envelopes.map(({ json }) => {
    const [sent] = sentSchema.parse(JSON.parse(json));
    expect(Buffer.byteLength(JSON.stringify(sent))).toBeLessThanOrEqual(maxBytes);
    return sent;
  });
}

/** The JSON of each event of the envelopes, in order. */
async function open(envelopes: Awaited<ReturnType<typeof pack>>): Promise<string[]> {
  const events = await Promise.all(envelopes.map(({ data }) => openEnvelope(data)));
  return events.flat().map((event) => JSON.stringify(event));
}

const jsonOf = (events: readonly OutgoingEvent[]) => events.map(({ json }) => json);

describe("packing events into envelopes", () => {
  it("keeps all events byte for byte, in order, and each envelope within its size", async () => {
    const content = fc.oneof(
      { weight: 5, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 3_000 }) },
      { weight: 3, arbitrary: fc.constant("x".repeat(50_000)) },
      { weight: 2, arbitrary: fc.nat().map((seed) => noise(9_000, seed)) },
    );
    const scenario = fc.record({
      contents: fc.array(content, { minLength: 1, maxLength: 60 }),
      maxBytes: fc.integer({ min: 60_000, max: MIN_ENVELOPE_BYTES }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ contents, maxBytes }) => {
        const events = contents.map(eventOf);
        expect(await open(await pack(events, maxBytes))).toEqual(jsonOf(events));
      }),
      { numRuns: 60 },
    );
  });

  it("leaves up to 8 KiB of events plain, and compresses more", async () => {
    const room = MAX_PLAIN_BYTES + 1 - Buffer.byteLength(JSON.stringify([eventOf("a").event]));
    const events = [eventOf("a".repeat(room))];
    expect(Buffer.byteLength(JSON.stringify(events.map(({ event }) => event)))).toBe(8 * 1024);
    const [plain] = await pack(events);
    expect(plain?.data).toEqual({ events: events.map(({ event }) => event) });
    const larger = [eventOf("a".repeat(room + 1))];
    const [packed] = await pack(larger);
    expect(Object.keys(packed?.data ?? {})).not.toContain("events");
    expect(await open(packed === undefined ? [] : [packed])).toEqual(jsonOf(larger));
  });

  it("describes packed events for people: count, types, ids and times", async () => {
    const notes = manyOf(40, (index) => eventOf(`note ${index}`.repeat(10)));
    const task = toOutgoingEvent(
      createSynapEvent({
        type: "task.created",
        data: { title: "Buy milk" },
        timestamp: "2026-01-02T03:04:05.678Z",
      }),
    );
    const [envelope] = await pack([...notes, task]);
    const times = notes.map(({ event }) => event.timestamp).sort();
    expect(envelope?.data).toEqual({
      count: 41,
      types: { "note.creation.requested": 40, "task.created": 1 },
      firstId: notes[0]?.event.id,
      lastId: task.event.id,
      from: task.event.timestamp,
      to: times.at(-1),
      gzip: expect.any(String),
    });
  });

  it("puts 1,000 events of 560 bytes into one envelope of Inngest's free plan", async () => {
    const events = manyOf(1_000, (index) => {
      // Half of what fills it repeats nothing.
      const filling = 560 - eventOf("a").bytes + 1;
      return eventOf(noise(filling / 2, index).padEnd(filling, "Call Acme about the invoice. "));
    });
    const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
    expect(bytes).toBe(560_000);
    expect(bytes).toBeLessThan(envelopeLimits(MIN_ENVELOPE_BYTES).maxGatheredBytes);
    expect(await pack(events)).toHaveLength(1);
  });

  it("halves events that compress too little until each part fits, whatever was gathered", async () => {
    const events = manyOf(9, (seed) => incompressible(80_000, seed));
    const envelopes = await pack(events);
    expect(envelopes.length).toBeGreaterThan(2);
    expect(await open(envelopes)).toEqual(jsonOf(events));
    expect(new Set(envelopes.map(({ id }) => id)).size).toBe(envelopes.length);
    expect(envelopes.every(({ data }) => "events" in data)).toBe(true);
  });

  it("compresses each part by itself where only a part of the events compresses", async () => {
    const events = [
      ...manyOf(4, (seed) => incompressible(80_000, seed)),
      ...manyOf(8, () => eventOf("the same again ".repeat(5_000))),
    ];
    const envelopes = await pack(events);
    expect(envelopes.length).toBeGreaterThan(1);
    expect(envelopes.at(-1)?.data).toHaveProperty("gzip");
    expect(await open(envelopes)).toEqual(jsonOf(events));
  });

  it("sends the largest event plain if it doesn't compress", async () => {
    const event = incompressible(MAX_EVENT_BYTES - 2_000);
    const [envelope] = await pack([event]);
    expect(envelope?.data).toEqual({ events: [event.event] });
  });

  it("gives every envelope its own id, whatever the events", async () => {
    const events = [eventOf("x")];
    const ids = [...(await pack(events)), ...(await pack(events))].map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });

  it("refuses an event that no envelope has room for, instead of dividing without end", async () => {
    await expect(packEnvelopes([incompressible(20_000)], 10_000)).rejects.toThrow(RangeError);
  });
});

describe("the limits of an envelope", () => {
  it("gather three times its size, but not more than a worker opens", () => {
    expect(envelopeLimits(MIN_ENVELOPE_BYTES).maxGatheredBytes).toBe(3 * MIN_ENVELOPE_BYTES);
    expect(envelopeLimits(3 * 1024 * 1024).maxGatheredBytes).toBe(MAX_PACKED_JSON_BYTES);
  });
});
