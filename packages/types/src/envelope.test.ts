import { describe, expect, it } from "vitest";
import { envelopeSchema, MAX_ENVELOPE_EVENTS } from "./envelope.ts";
import { createSynapEvent } from "./seed-catalogue.ts";

const event = createSynapEvent({ type: "note.creation.requested", data: { content: "Hello" } });
const isEnvelope = (events: unknown) => envelopeSchema.safeParse({ events }).success;

describe("envelopeSchema", () => {
  it("carries 1 to 1,000 events", () => {
    expect(isEnvelope([event])).toBe(true);
    expect(isEnvelope(Array.from({ length: MAX_ENVELOPE_EVENTS }, () => event))).toBe(true);
    expect(isEnvelope([])).toBe(false);
    expect(isEnvelope(Array.from({ length: MAX_ENVELOPE_EVENTS + 1 }, () => event))).toBe(false);
    expect(isEnvelope("events")).toBe(false);
  });

  it("accepts an invalid event, so that the store can store the valid ones", () => {
    expect(isEnvelope([event, { ...event, data: { contents: 1 } }])).toBe(true);
    expect(isEnvelope([event, "an event"])).toBe(false);
  });

  it("returns the events unchanged", () => {
    const [carried] = envelopeSchema.parse({ events: [event] }).events;
    expect(carried).toBe(event);
  });
});
