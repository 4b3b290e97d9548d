import { describe, expect, it } from "vitest";
import { createSynapEvent, parseSynapEvent } from "../catalogue/seed-catalogue.ts";
import { amendmentIssue, amendmentOf, correctionOf, MaskedEventError, retractionOf } from "./amendments.ts";

const event = createSynapEvent({
  type: "note.creation.completed",
  aggregateId: "n",
  data: { content: "Acme" },
  userId: "ada",
  createdBy: "agent:writer",
  timestamp: "2026-03-01T09:00:00.000Z",
  validTo: "2026-04-01T00:00:00.000Z",
});
const stored = { ...event, data: { content: "Acme" } };

describe("a correction", () => {
  it("is an event of the same type, stream and user that holds when the corrected one does, and happens now", () => {
    const correction = correctionOf(stored, {
      data: { content: "Acme Ltd" },
      reason: "the name was cut",
      createdBy: "agent:editor",
      metadata: { ticket: 7 },
    });
    expect(correction).toEqual({
      type: "note.creation.completed",
      aggregateType: "note",
      aggregateId: "n",
      userId: "ada",
      createdBy: "agent:editor",
      data: { content: "Acme Ltd" },
      validFrom: event.timestamp,
      validTo: event.validTo,
      metadata: { ticket: 7, reason: "the name was cut", corrects: event.id },
    });
    expect(amendmentOf(createSynapEvent(correction))).toEqual({ kind: "correction", eventId: event.id });
  });

  it("may correct the validity too, and names the original where it is made of a correction", () => {
    const first = correctionOf(stored, { data: stored.data, validTo: null, id: event.id.replace(/.$/, "0") });
    expect(first.validTo).toBeUndefined();
    const second = correctionOf(createSynapEvent(first), {
      data: { content: "x" },
      validFrom: "2026-03-02T00:00:00Z",
    });
    expect(second).toMatchObject({ validFrom: "2026-03-02T00:00:00Z", metadata: { corrects: event.id } });
  });

  it("has the version at which its data was read", () => {
    expect(correctionOf({ ...stored, schemaVersion: 3 }, { data: stored.data }).schemaVersion).toBe(3);
  });
});

it("a retraction repeats what it takes back, and says why", () => {
  const retraction = retractionOf(stored, { reason: "entered twice" });
  expect(retraction).toMatchObject({
    data: event.data,
    validFrom: event.timestamp,
    validTo: event.validTo,
    metadata: { reason: "entered twice", retracts: event.id },
  });
  const again = retractionOf(createSynapEvent(retraction), { reason: "still" });
  expect(again.metadata["retracts"]).toBe(event.id);
});

it("neither a retraction nor a correction is made of an event with masked values, which it would store", () => {
  const masked = [{ path: "/content", reason: "not-allowed" }] as const;
  expect(() => retractionOf({ ...stored, masked }, { reason: "wrong" })).toThrow(MaskedEventError);
  expect(() => correctionOf({ ...stored, masked }, { data: stored.data })).toThrow(MaskedEventError);
});

it.each([
  [{ corrects: 7 }, "metadata.corrects"],
  [{ corrects: event.id.toUpperCase() }, "metadata.corrects"],
  [{ retracts: "the first" }, "metadata.retracts"],
  [{ corrects: event.id, retracts: event.id }, "metadata.retracts"],
])("metadata %j is refused in every event", (metadata, path) => {
  expect(() => parseSynapEvent({ ...event, metadata })).toThrow(
    expect.objectContaining({ issues: [expect.objectContaining({ path, code: "amendment-invalid" })] }),
  );
});

it("amends a stored original of its type and stream only", () => {
  const correction = createSynapEvent(correctionOf(stored, { data: stored.data }));
  const codeOf = (amended: Parameters<typeof amendmentIssue>[1]) => amendmentIssue(correction, amended)?.code;
  expect(amendmentIssue(event, undefined)).toBeUndefined();
  expect(codeOf(event)).toBeUndefined();
  expect(codeOf(undefined)).toBe("amended-event-unknown");
  expect(codeOf({ ...event, aggregateId: "m" })).toBe("amended-event-other");
  expect(codeOf({ ...event, type: "note.creation.requested" })).toBe("amended-event-other");
  expect(codeOf({ ...event, metadata: { corrects: correction.id } })).toBe("amends-amendment");
});
