import type { SynapEvent } from "@synap/types";
import { type OutgoingEvent, toOutgoingEvent } from "../publisher/outgoing-event.ts";
import type { Publisher } from "../publisher/publisher.ts";
import type { DuplicateLookup } from "./duplicate-lookup.ts";
import { type EventResult, rejected } from "./event-result.ts";
import type { EventReading } from "./read-event.ts";

/** Where accepted events go, and who knows the earlier ones. */
export interface Acceptance {
  readonly publisher: Publisher;
  readonly findDuplicates: DuplicateLookup;
}

/**
 * Publishes the sound events of a request and says what became of each, in order. One event's fault costs no other.
 * An event that repeats an earlier one of the same request shares its fate.
 *
 * @throws PublisherFullError, PublisherClosedError; then nothing was taken.
 */
export async function acceptEvents(
  readings: readonly EventReading[],
  { publisher, findDuplicates }: Acceptance,
): Promise<EventResult[]> {
  const results: (EventResult | undefined)[] = [];
  const candidates: { outgoing: OutgoingEvent; index: number; isIdentified: boolean }[] = [];
  const repetitions = new Map<number, number>();
  const seen = new SeenEvents();
  for (const [index, reading] of readings.entries()) {
    if (!reading.ok) {
      results[index] = rejected(reading.issues);
      continue;
    }
    const outgoing = toOutgoingEvent(reading.event);
    if (!publisher.fits(outgoing)) {
      results[index] = rejected([tooLarge(outgoing)]);
      continue;
    }
    const first = reading.isIdentified ? seen.firstLike(reading.event, index) : undefined;
    if (first !== undefined) repetitions.set(index, first);
    else candidates.push({ outgoing, index, isIdentified: reading.isIdentified });
  }

  const identified = candidates.filter((candidate) => candidate.isIdentified);
  const stored = await findDuplicates(identified.map(({ outgoing }) => outgoing.event));
  const fresh = candidates.filter((candidate) => {
    const first = candidate.isIdentified ? stored.get(candidate.outgoing.event.id) : undefined;
    if (first !== undefined)
      results[candidate.index] = { status: "duplicate", id: first.id, position: first.position };
    return first === undefined;
  });

  const outcomes = fresh.length === 0 ? [] : await publisher.publish(fresh.map(({ outgoing }) => outgoing));
  for (const [place, { outgoing, index }] of fresh.entries()) {
    const status = outcomes[place] === "accepted" ? "accepted" : "unavailable";
    results[index] = { status, id: outgoing.event.id };
  }
  return readings.map((_, index) => {
    const first = repetitions.get(index);
    const result = results[first ?? index];
    if (result === undefined) throw new Error(`Event ${index} of the request has no result`);
    return first !== undefined && result.status === "accepted"
      ? { status: "duplicate", id: result.id }
      : result;
  });
}

/** The ids and idempotency keys (one set for each creator) of a request's events, and where each stood first. */
class SeenEvents {
  private readonly byId = new Map<string, number>();
  private readonly byKey = new Map<string, number>();

  /** The index of an earlier event that this one repeats; otherwise this one is remembered. */
  firstLike({ id, createdBy, idempotencyKey }: SynapEvent, index: number): number | undefined {
    // No field of an event holds NUL, so it keeps the two apart.
    const key = idempotencyKey === undefined ? undefined : `${createdBy}\0${idempotencyKey}`;
    const first = this.byId.get(id) ?? (key === undefined ? undefined : this.byKey.get(key));
    if (first !== undefined) return first;
    this.byId.set(id, index);
    if (key !== undefined) this.byKey.set(key, index);
    return undefined;
  }
}

function tooLarge({ bytes }: OutgoingEvent) {
  const reason = `the event takes ${bytes} bytes, more than fit into an envelope`;
  return { path: "", code: "event-too-large", reason };
}
