import {
  hasSameContent,
  isVisible,
  type PersonalData,
  type RepeatedEvent,
  versionName,
} from "@synap/database/internal";
import type { EventIssue, SynapEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { type OutgoingEvent, toOutgoingEvent } from "../broker/envelopes.ts";
import type { Publisher } from "../broker/publisher.ts";
import { FunctionsNotRegisteredError } from "../broker/ready-workers.ts";
import type { Principal } from "../identity/principal.ts";
import { visibilityOf } from "../identity/visibility.ts";
import type { AmendedLookup } from "./amended-events.ts";
import type { DuplicateLookup } from "./duplicate-lookup.ts";
import type { EventReading } from "./read-events.ts";
import type { TakenLookup } from "./taken-streams.ts";

/** Outcome of one event of a request. */
export type EventResult =
  /** The broker has accepted the event; it will be stored. */
  | { readonly status: "accepted"; readonly id: string }
  /** Repeats an earlier event, which has this id. The position is present if that event is already stored. */
  | { readonly status: "duplicate"; readonly id: string; readonly position?: number }
  /** Not accepted. Code, path and reason are those of the first issue. */
  | ({ readonly status: "rejected"; readonly issues: readonly EventIssue[] } & EventIssue)
  /** Valid, but not accepted: send it again. Without a code, the broker did not confirm it. */
  | {
      readonly status: "unavailable";
      readonly id: string;
      readonly code?: "event-type-not-ready";
      readonly reason?: string;
    };

/** A result in a batch, with the index of its event in the request, from 0. */
export type BatchResult = EventResult & { readonly index: number };

/** Builds the result of an event with these issues, of which there is at least one. */
export function rejected(issues: readonly EventIssue[]): EventResult {
  const [first = { path: "", code: "invalid", reason: "is not valid" }] = issues;
  return { status: "rejected", ...first, issues };
}

/** Dependencies of {@link acceptEvents}. */
export interface PublishDependencies {
  readonly publisher: Publisher;
  readonly findDuplicates: DuplicateLookup;
  readonly findTaken: TakenLookup;
  readonly findAmended: AmendedLookup;
  /** Seals personal values; undefined where no event has any. */
  readonly personalData?: Pick<PersonalData, "needsSealing" | "seal"> | undefined;
  /** Event types that some worker does not know yet, with those workers. */
  readonly unreadyTypes: () => ReadonlyMap<string, readonly string[]>;
  /** Returns true if a worker has registered the functions that envelopes start. */
  readonly areFunctionsRegistered: () => Promise<boolean>;
  /** Called with each outcome of a request's events and its number of events. */
  readonly onOutcome: (outcome: EventResult["status"], events: number) => void;
  /** Called for each event that the broker has confirmed. */
  readonly onAccepted: (event: SynapEvent) => void;
}

const EVENT_STATUSES = ["accepted", "duplicate", "rejected", "unavailable"] as const;

/**
 * Publishes the valid events of a request and returns the outcome of each, in order. Invalid events do not affect the others.
 * An event that repeats an earlier one of the same request shares its outcome.
 *
 * @throws FunctionsNotRegisteredError, PublisherFullError, PublisherClosedError, DatabaseUnavailableError, KeyProviderError; then
 *   nothing was accepted.
 */
export async function acceptEvents(
  readings: readonly EventReading[],
  {
    publisher,
    findDuplicates,
    findTaken,
    findAmended,
    personalData,
    unreadyTypes,
    areFunctionsRegistered,
    onAccepted,
    onOutcome,
  }: PublishDependencies,
  sender: Principal,
): Promise<EventResult[]> {
  if (!(await areFunctionsRegistered())) throw new FunctionsNotRegisteredError();
  const results: (EventResult | undefined)[] = [];
  const candidates: Candidate[] = [];
  // Before anything is sent, compared or logged: nothing behind this holds them in plain text.
  const sealed = personalData === undefined ? readings : await sealReadings(readings, personalData);
  for (const [index, reading] of sealed.entries()) {
    if (!reading.ok) {
      results[index] = rejected(reading.issues);
      continue;
    }
    const outgoing = toOutgoingEvent(reading.event);
    const { isIdentified, named } = reading;
    const candidate = { outgoing, index, isIdentified, named };
    if (publisher.fits(outgoing)) candidates.push(candidate);
    else results[index] = refuse(candidate, tooLarge(outgoing));
  }

  const identified = candidates.filter((candidate) => candidate.isIdentified);
  const stored = await findDuplicates(identified.map(({ outgoing }) => outgoing.event));
  const known = new Map(identified.map((candidate, each) => [candidate, stored[each]]));
  const visibility = visibilityOf(sender);
  const taken = await findTaken(
    sender,
    candidates
      .filter((candidate) => known.get(candidate) === undefined)
      .map(({ outgoing: { event }, isIdentified }) => ({ event, isIdentified })),
  );
  const unamendable = await findAmended(
    sender,
    candidates
      .filter((candidate) => known.get(candidate) === undefined)
      .map(({ outgoing: { event } }) => event),
  );
  const repetitions = new Map<number, number>();
  const seen = new SeenEvents();
  const unready = unreadyTypes();
  const fresh = candidates.filter((candidate) => {
    const { outgoing, index, isIdentified } = candidate;
    const original = known.get(candidate);
    if (original !== undefined) {
      results[index] = answerRepeated(candidate, original, isVisible(original, visibility));
      return false;
    }
    if (taken.size > 0 && taken.has(streamKey(outgoing.event))) {
      results[index] = refuse(candidate, STREAM_TAKEN);
      return false;
    }
    const unamended = unamendable.get(outgoing.event);
    if (unamended !== undefined) {
      results[index] = refuse(candidate, unamended);
      return false;
    }
    const { type, schemaVersion } = outgoing.event;
    const lacking = unready.get(type) ?? unready.get(versionName(type, schemaVersion));
    if (lacking !== undefined) {
      results[index] = typeNotReady(outgoing.event, lacking);
      return false;
    }
    const first = isIdentified ? seen.firstLike(candidate) : undefined;
    if (first === undefined) return true;
    if (isConflict(outgoing, first.outgoing)) results[index] = refuse(candidate, conflict(TAKEN_IN_REQUEST));
    else repetitions.set(index, first.index);
    return false;
  });

  const outcomes = fresh.length === 0 ? [] : await publisher.publish(fresh.map(({ outgoing }) => outgoing));
  for (const [each, { outgoing, index }] of fresh.entries()) {
    const status = outcomes[each] === "accepted" ? "accepted" : "unavailable";
    results[index] = { status, id: outgoing.event.id };
    if (status === "accepted") onAccepted(outgoing.event);
  }
  const counts = { accepted: 0, duplicate: 0, rejected: 0, unavailable: 0 };
  const complete = readings.map((_, index): EventResult => {
    const first = repetitions.get(index);
    const result = results[first ?? index];
    if (result === undefined) throw new Error(`Event ${index} of the request has no result`);
    const own: EventResult =
      first !== undefined && result.status === "accepted" ? { status: "duplicate", id: result.id } : result;
    counts[own.status] += 1;
    return own;
  });
  for (const status of EVENT_STATUSES) if (counts[status] > 0) onOutcome(status, counts[status]);
  return complete;
}

async function sealReadings(
  readings: readonly EventReading[],
  { needsSealing, seal }: Pick<PersonalData, "needsSealing" | "seal">,
): Promise<readonly EventReading[]> {
  const plain = readings.flatMap((reading) =>
    reading.ok && needsSealing(reading.event) ? [reading.event] : [],
  );
  if (plain.length === 0) return readings;
  const sealed = (await seal(plain)).values();
  return readings.map((reading) => {
    if (!reading.ok || !needsSealing(reading.event)) return reading;
    const { value: sealing } = sealed.next();
    if (sealing === undefined) throw new Error(`Event ${reading.event.id} was not sealed`);
    if (sealing.ok) return { ...reading, event: sealing.event };
    const { named = (issue: EventIssue) => issue } = reading;
    return { ok: false, issues: sealing.issues.map(named) };
  });
}

/** A valid event of a request. */
interface Candidate {
  readonly outgoing: OutgoingEvent;
  readonly index: number;
  readonly isIdentified: boolean;
  readonly named: ((issue: EventIssue) => EventIssue) | undefined;
}

/** The result of a valid event that is refused, in its sender's words. */
function refuse({ named }: Candidate, issue: EventIssue): EventResult {
  return rejected([named?.(issue) ?? issue]);
}

/** The ids and idempotency keys (a set for each creator) in a request, with the first event that has each. */
class SeenEvents {
  private readonly byId = new Map<string, Candidate>();
  private readonly byKey = new Map<string, Candidate>();

  /** Returns the earlier event that this one repeats; otherwise remembers this one. */
  firstLike(candidate: Candidate): Candidate | undefined {
    const { id, createdBy, idempotencyKey } = candidate.outgoing.event;
    // NUL separates the two, because no field of an event can contain it.
    const key = idempotencyKey === undefined ? undefined : `${createdBy}\0${idempotencyKey}`;
    const first = this.byId.get(id) ?? (key === undefined ? undefined : this.byKey.get(key));
    if (first !== undefined) return first;
    this.byId.set(id, candidate);
    if (key !== undefined) this.byKey.set(key, candidate);
    return undefined;
  }
}

const TAKEN_IN_REQUEST = "is the id of an earlier event of this request with other content";

/** An idempotency key identifies an event whatever its content; an id must not be given to two different events. */
function answerRepeated(candidate: Candidate, first: RepeatedEvent, isShown: boolean): EventResult {
  const { id } = candidate.outgoing.event;
  if (first.hasSameContent || first.id !== id)
    return isShown
      ? { status: "duplicate", id: first.id, position: first.position }
      : { status: "duplicate", id };
  const place = isShown ? `, stored at position ${first.position}` : "";
  return refuse(candidate, conflict(`is the id of an event with other content${place}`));
}

function isConflict(one: OutgoingEvent, first: OutgoingEvent): boolean {
  return one.event.id === first.event.id && !hasSameContent(asSent(one), asSent(first));
}

/** Parses an event's JSON, as the store would receive it. */
function asSent({ json }: OutgoingEvent): SynapEvent {
  return JSON.parse(json);
}

const STREAM_TAKEN: EventIssue = {
  path: "aggregateId",
  code: "stream-taken",
  reason: "names a stream of somebody else; choose another id",
};

function typeNotReady({ id, type, schemaVersion }: SynapEvent, workers: readonly string[]): EventResult {
  const reason = `worker ${workers.join(", ")} does not know ${versionName(type, schemaVersion)} yet`;
  return { status: "unavailable", id, code: "event-type-not-ready", reason };
}

function conflict(reason: string): EventIssue {
  return { path: "id", code: "event-id-conflict", reason };
}

function tooLarge({ bytes }: OutgoingEvent): EventIssue {
  const reason = `has ${bytes} bytes, which exceeds the maximum size of an envelope`;
  return { path: "", code: "event-too-large", reason };
}
