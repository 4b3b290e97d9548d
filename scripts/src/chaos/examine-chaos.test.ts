import { describe, expect, it } from "vitest";
import { compareEvents, type EventFindings, type StoredEventRow } from "./examine-chaos.ts";
import type { LedgerEntry, SentEvent } from "./ledger.ts";

const sent: SentEvent = {
  id: "00000000-0000-4000-8000-000000000001",
  type: "product.stock_updated",
  timestamp: "2026-11-26T08:00:00.123Z",
  aggregateType: "product",
  aggregateId: "p-1",
  data: { newQuantity: 1 },
};
const row: StoredEventRow = { ...sent, idempotencyKey: null, position: 1024, streamVersion: 1 };

function entry(changes: Partial<LedgerEntry> = {}): LedgerEntry {
  return { event: sent, outcome: "accepted", resend: async () => undefined, isUnanswered: false, ...changes };
}

/** The findings that are not zero. */
function findings(entries: LedgerEntry[], rows: StoredEventRow[]): Partial<EventFindings> {
  return Object.fromEntries(Object.entries(compareEvents(entries, rows)).filter(([, found]) => found !== 0));
}

describe("compareEvents", () => {
  it("finds nothing where the log holds what was accepted", () => {
    expect(findings([entry()], [row])).toEqual({});
    expect(findings([entry({ stored: { position: 1024, streamVersion: 1 } })], [row])).toEqual({});
  });

  it("leaves open what nobody was answered", () => {
    expect(findings([entry({ outcome: "unknown" })], [row])).toEqual({});
    expect(findings([entry({ outcome: "unknown" })], [])).toEqual({});
  });

  it("finds an accepted event that is not there", () => {
    expect(findings([entry()], [])).toEqual({ acceptedAndLost: 1 });
  });

  it("finds a refused event that is there", () => {
    expect(findings([entry({ outcome: "refused" })], [row])).toEqual({ refusedAndStored: 1 });
  });

  it.each<[string, Partial<StoredEventRow>]>([
    ["type", { type: "product.created" }],
    ["stream", { aggregateId: "p-2" }],
    ["time", { timestamp: "2026-11-26T08:00:00.124Z" }],
    ["data", { data: { newQuantity: 2 } }],
    ["idempotency key", { idempotencyKey: "k" }],
  ])("finds another %s", (_, change) => {
    expect(findings([entry()], [{ ...row, ...change }])).toEqual({ storedDifferently: 1 });
  });

  it("finds an event that is there twice", () => {
    expect(findings([entry()], [row, { ...row, position: 2048, streamVersion: 2 }])).toMatchObject({
      storedTwice: 1,
    });
  });

  it("finds a position that two events have", () => {
    const other = { ...sent, id: "00000000-0000-4000-8000-000000000002" };
    expect(
      findings([entry(), entry({ event: other })], [row, { ...row, id: other.id, streamVersion: 2 }]),
    ).toEqual({ positionsTakenTwice: 1 });
  });

  it("finds an event that nobody sent, but for the reactions of handlers", () => {
    expect(findings([], [row])).toEqual({ neverSent: 1 });
    expect(findings([], [{ ...row, type: "note.creation.completed" }])).toEqual({});
  });

  it("finds an append that was answered with another position", () => {
    expect(findings([entry({ stored: { position: 1025, streamVersion: 1 } })], [row])).toEqual({
      answeredWrongly: 1,
    });
  });

  it("takes one event for all that were sent under its idempotency key, and finds a second one", () => {
    const first = { ...sent, idempotencyKey: "k" };
    const second = { ...first, id: "00000000-0000-4000-8000-000000000002" };
    const entries = [entry({ event: first }), entry({ event: second })];
    const stored = { ...row, idempotencyKey: "k" };
    expect(findings(entries, [stored])).toEqual({});
    expect(findings(entries, [])).toEqual({ acceptedAndLost: 2 });
    expect(
      findings(entries, [stored, { ...stored, id: second.id, position: 2048, streamVersion: 2 }]),
    ).toEqual({ keysStoredTwice: 1 });
  });
});
