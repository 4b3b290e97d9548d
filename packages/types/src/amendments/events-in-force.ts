import type { StoredEvent } from "../event/event.ts";
import { type Amendment, amendmentOf } from "./amendments.ts";

/** A moment of knowledge, and the moment that it is about. */
export interface KnownMoment {
  /** Only events that were recorded up to this moment count. Default: all. */
  readonly knownAt?: Date | undefined;
  /** Only facts that hold at this moment count: from `validFrom`, or else `timestamp`, until before `validTo`. Default: all. */
  readonly validAt?: Date | undefined;
}

/**
 * Selects from the events of a stream, or of a log, those that are in force: as known at one moment, about another. Of an original and its
 * corrections the last one that was recorded by then stands, in the original's place; after a retraction none does.
 *
 * @returns the events in the order of validity: by when they begin to hold, then by the position of the original
 */
export function eventsInForce<Event extends StoredEvent>(
  events: Iterable<Event>,
  { knownAt, validAt }: KnownMoment = {},
): Event[] {
  const { known, amendments, last } = replay(events, knownAt);
  const standing: { readonly event: Event; readonly from: number; readonly place: number }[] = [];
  for (const event of known.values()) {
    const amendment = amendments.get(event);
    const original = amendment?.eventId ?? event.id;
    if (amendment?.kind === "retraction" || (last.get(original) ?? event) !== event) continue;
    const from = Date.parse(event.validFrom ?? event.timestamp);
    if (validAt !== undefined && !holdsAt(event, from, validAt.valueOf())) continue;
    standing.push({ event, from, place: known.get(original)?.position ?? event.position });
  }
  standing.sort((one, other) => one.from - other.from || one.place - other.place);
  return standing.map(({ event }) => event);
}

/**
 * Marks those of some events of a log that are not in force, as known at a moment, with what amends them.
 *
 * @param log the events among which the amendments are
 */
export function markAmended<Event extends StoredEvent>(
  events: readonly Event[],
  log: Iterable<StoredEvent>,
  knownAt?: Date,
): Event[] {
  const { amendments, last } = replay(log, knownAt);
  return events.map((event) => {
    const decisive = last.get(amendments.get(event)?.eventId ?? event.id);
    const kind = decisive && amendments.get(decisive)?.kind;
    if (decisive === undefined || kind === undefined || decisive.id === event.id) return event;
    return { ...event, amendedBy: { kind, eventId: decisive.id, recordedAt: decisive.recordedAt } };
  });
}

/** The events that were known at a moment. */
interface Replay<Event> {
  readonly known: ReadonlyMap<string, Event>;
  /** The amendments among them. */
  readonly amendments: ReadonlyMap<StoredEvent, Amendment>;
  /** The last amendment of each original, by its id. */
  readonly last: ReadonlyMap<string, Event>;
}

function replay<Event extends StoredEvent>(
  events: Iterable<Event>,
  knownAt: Date | undefined,
): Replay<Event> {
  const known = new Map<string, Event>();
  for (const event of events) {
    if (knownAt === undefined || Date.parse(event.recordedAt) <= knownAt.valueOf())
      known.set(event.id, event);
  }
  const amendments = new Map<StoredEvent, Amendment>();
  const last = new Map<string, Event>();
  for (const event of known.values()) {
    const amendment = amendmentOf(event);
    if (amendment === undefined || !mayAmend(event, known.get(amendment.eventId))) continue;
    amendments.set(event, amendment);
    const other = last.get(amendment.eventId);
    if (other === undefined || other.position < event.position) last.set(amendment.eventId, event);
  }
  return { known, amendments, last };
}

function holdsAt({ validTo }: StoredEvent, from: number, at: number): boolean {
  return from <= at && (validTo === undefined || at < Date.parse(validTo));
}

/**
 * The append refuses any other. An event that a release without this check has stored amends nothing. One that the reader doesn't have may be
 * hidden from him.
 */
function mayAmend(event: StoredEvent, amended: StoredEvent | undefined): boolean {
  if (amended === undefined) return true;
  return (
    amended.type === event.type &&
    amended.aggregateType === event.aggregateType &&
    amended.aggregateId === event.aggregateId &&
    amendmentOf(amended) === undefined
  );
}
