import { gzipSync } from "node:zlib";
import { createSynapEvent, type SynapEvent } from "@synap/types";
import { MAX_ENVELOPE_BYTES, MAX_ENVELOPE_EVENTS, MAX_PACKED_JSON_BYTES } from "@synap/types/internal";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEnvelope, readEnvelope } from "./open-envelope.ts";
import { packEvents, summariseEvents } from "./pack-events.ts";

const noteOf = (content: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.requested", data: { content } });
const event = noteOf("Hello");
const many = (count: number) => Array.from({ length: count }, () => event);
const compressed = (content: string | Buffer) => gzipSync(content).toString("base64");

/** A packed envelope whose gzip contains this, whatever its other fields say. */
const packed = (content: string | Buffer, fields: Readonly<Record<string, unknown>> = {}) => ({
  ...summariseEvents([event]),
  gzip: compressed(content),
  ...fields,
});
const packedList = (events: readonly unknown[]) => packed(JSON.stringify(events), { count: events.length });

describe.each([
  ["a plain envelope", (events: readonly unknown[]): unknown => ({ events })],
  ["a packed envelope", (events: readonly unknown[]): unknown => packedList(events)],
])("%s", (_, envelopeOf) => {
  it("carries 1 to 1,000 events", async () => {
    expect(await openEnvelope(envelopeOf([event]))).toEqual([event]);
    expect(await openEnvelope(envelopeOf(many(MAX_ENVELOPE_EVENTS)))).toHaveLength(MAX_ENVELOPE_EVENTS);
    expect(await readEnvelope(envelopeOf([]))).toMatchObject({ ok: false });
    expect(await readEnvelope(envelopeOf(many(MAX_ENVELOPE_EVENTS + 1)))).toMatchObject({ ok: false });
  });

  it("may hold an invalid event, so that the store can store the valid ones", async () => {
    expect(await readEnvelope(envelopeOf([event, { data: { contents: 1 } }, event]))).toMatchObject({
      ok: true,
    });
    expect(await readEnvelope(envelopeOf([event, "an event"]))).toEqual({
      ok: false,
      reason: expect.stringContaining("must be an event"),
    });
  });
});

it("any events survive packing and opening byte for byte", async () => {
  const texts = fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(texts, async (contents) => {
      const events = contents.map((content) => noteOf(content));
      const json = JSON.stringify(events);
      // As a broker passes it on: parsed and written again.
      const received: unknown = JSON.parse(JSON.stringify(await packEvents(events, json)));
      expect(JSON.stringify(await openEnvelope(received))).toBe(json);
    }),
    { numRuns: 50 },
  );
});

describe("an unreadable envelope", () => {
  const good = compressed(JSON.stringify([event]));

  it.each<[string, unknown, string]>([
    ["has neither field", {}, "events is required"],
    ["is not an object", "events", "the envelope must be a JSON object, not a string"],
    ["has both fields", { ...packedList([event]), events: [event] }, "has both events and gzip"],
    ["has both fields, one without a value", { events: [event], gzip: null }, "has both events and gzip"],
    ["has no count", { ...packedList([event]), count: undefined }, "count is required"],
    ["has a wrong count", packed(JSON.stringify([event]), { count: 2 }), "contains 1 event, and count is 2"],
    ["has a count beyond the limit", packed("[]", { count: 1_001 }), "count must be at most 1000"],
    ["has a wrong first id", { ...packedList([event]), firstId: noteOf("x").id }, "firstId is not the id"],
    ["has a wrong last id", { ...packedList([event]), lastId: noteOf("x").id }, "lastId is not the id"],
    ["has a gzip that is no text", packed("", { gzip: 7 }), "gzip must be a string"],
    ["has a gzip that is not base64", packed("", { gzip: `${good.slice(0, 8)}*${good.slice(8)}` }), "base64"],
    ["has a gzip in base64url", packed("", { gzip: good.replace(/.$/, "-") }), "gzip must be base64"],
    ["has an empty gzip", packed("", { gzip: "" }), "gzip cannot be decompressed"],
    ["has a gzip of another format", packed("", { gzip: "AAAA" }), "gzip cannot be decompressed"],
    ["has a truncated gzip", packed("", { gzip: good.slice(0, -12) }), "gzip cannot be decompressed"],
    ["contains text that is not JSON", packed("[secret"), "gzip does not contain JSON"],
    ["contains bytes that are not UTF-8", packed(Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d])), "UTF-8"],
    [
      "contains no array",
      packed(JSON.stringify({ events: [event] })),
      "the content of gzip must be an array",
    ],
    [
      "decompresses to more than its limit",
      packed(Buffer.alloc(64 * MAX_PACKED_JSON_BYTES, " ")),
      "gzip decompresses to more than 4,194,304 bytes",
    ],
    [
      "is larger than any broker accepts, which is found before decoding it",
      packed("", { gzip: "A".repeat(MAX_ENVELOPE_BYTES + 1) }),
      "gzip must have at most 3145728 characters",
    ],
  ])("%s: the reason says so", async (_, envelope, reason) => {
    const reading = await readEnvelope(envelope);
    expect(reading).toEqual({ ok: false, reason: expect.stringContaining(reason) });
    expect(JSON.stringify(reading)).not.toContain("secret");
    await expect(openEnvelope(envelope)).rejects.toMatchObject({ code: "ENVELOPE_INVALID" });
  });

  it("has a gzip with a single changed bit, which its checksum reveals", async () => {
    const bytes = gzipSync(JSON.stringify([event]));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const reading = await readEnvelope(packed("", { gzip: changed.toString("base64") }));
        // Some bits of the header, such as the operating system, have no meaning.
        if (reading.ok) expect(reading.events).toEqual([event]);
      }),
    );
  });
});

describe("a summary", () => {
  it("counts the 20 most frequent types, and gives the first and last time", () => {
    const typed = Array.from({ length: 25 }, (_, type) =>
      Array.from({ length: type + 1 }, (_, index) => ({
        id: `${type}-${index}`,
        type: `type.${type}`,
        timestamp: `2026-01-${String(25 - type).padStart(2, "0")}T00:00:00.000Z`,
      })),
    ).flat();
    const { types, ...rest } = summariseEvents(typed);
    expect(Object.keys(types)).toHaveLength(20);
    expect(types).toMatchObject({ "type.24": 25, "type.5": 6 });
    expect(rest).toEqual({
      count: 325,
      firstId: "0-0",
      lastId: "24-24",
      from: "2026-01-01T00:00:00.000Z",
      to: "2026-01-25T00:00:00.000Z",
    });
  });

  it("needs an event", () => {
    expect(() => summariseEvents([])).toThrow(RangeError);
  });
});
