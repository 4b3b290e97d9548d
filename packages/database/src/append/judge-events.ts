import { isDeepStrictEqual } from "node:util";
import type { EventIssue, ExpectedVersion, StoredEvent, StreamName, SynapEvent } from "@synap/types";
import { frozenCopy, meetsExpectation, streamKey } from "@synap/types/internal";
import { sqlState } from "../connection/database-errors.ts";
import { EventIdConflictError, OptimisticLockError, StreamClosedError } from "./stream-errors.ts";

/** A stream and its expected version. */
export interface Expectation extends StreamName {
  readonly expected: ExpectedVersion;
}

/** Outcome of the append of one event. */
export type AppendOutcome =
  | {
      readonly status: "stored";
      readonly id: string;
      readonly position: number;
      readonly streamVersion: number;
    }
  | {
      readonly status: "duplicate";
      /** Id of the event that was stored first; a different one for a duplicate by idempotency key. */
      readonly id: string;
      readonly position: number;
      readonly streamVersion: number;
    }
  | { readonly status: "rejected"; readonly id: string; readonly issues: readonly EventIssue[] };

/** Outcome of one event and the time at which it was stored. */
export interface AppendedEvent {
  readonly outcome: AppendOutcome;
  /** In the format of an event's `timestamp`; undefined unless this append stored it. */
  readonly recordedAt?: string;
}

/**
 * Returns frozen copies of the events that were stored, with their positions; the sender may still change its own objects.
 * Separate from the append, because copying takes time.
 */
export function storedEvents(
  events: readonly SynapEvent[],
  appended: readonly AppendedEvent[],
): StoredEvent[] {
  return events.flatMap((event, index) => {
    const { outcome, recordedAt } = appended[index] ?? {};
    if (outcome?.status !== "stored" || recordedAt === undefined) return [];
    const { position, streamVersion } = outcome;
    const { data, metadata } = event;
    return [
      Object.freeze({
        ...event,
        data: frozenCopy(data),
        ...(metadata !== undefined && { metadata: frozenCopy(metadata) }),
        position,
        streamVersion,
        recordedAt,
      }),
    ];
  });
}

/** Creates the outcome of an event that is not stored. */
export function rejected(id: string, ...issues: readonly EventIssue[]): AppendOutcome {
  return { status: "rejected", id, issues };
}

/** Creates the issue of an event that PostgreSQL refused although it was valid by the catalogue. */
export function refusedByDatabase(error: unknown, path = ""): EventIssue {
  const message = error instanceof Error ? error.message : String(error);
  return {
    path,
    code: "refused-by-database",
    reason: `the database refused it (SQLSTATE ${sqlState(error) ?? "unknown"}): ${message}`,
  };
}

/** The stored event that an event repeats, by its id or its creator's idempotency key. */
export interface Original {
  readonly id: string;
  readonly position: number;
  readonly streamVersion: number;
  /** True if the ids are equal; otherwise only the idempotency keys are. */
  readonly isById: boolean;
  /** True if both have the same content. See `contentOf`. */
  readonly hasSameContent: boolean;
  /** Its stream; undefined when the event itself was purged. */
  readonly stream?: StreamName | undefined;
  /** Its user and its actor; absent when it names no user, or was purged. */
  readonly userId?: string | null | undefined;
  readonly createdBy?: string | null | undefined;
}

/** Stored originals of the events of one append, and the state of their streams. */
export interface StoreState {
  /** For each event, the stored one that it repeats. */
  readonly originals: readonly (Original | undefined)[];
  isClosed(stream: StreamName): boolean;
  /** Returns the version of a stream; 0 when it has no events. */
  versionOf(stream: StreamName): number;
}

/**
 * Decision about one event. The original of a duplicate is a stored event, or the index of an earlier event of the same
 * append.
 */
export type Verdict =
  | { readonly status: "stored" | "conflict" | "closed" }
  | { readonly status: "duplicate"; readonly original: Original | number };

/**
 * Decides which events of one append to store. An event with a known id is a duplicate, or a conflict when the
 * content differs; one with a known idempotency key is a duplicate; of the others, those of a closed stream are refused.
 * The first event with an id or a key is the original, whether stored or earlier in the same append.
 */
export function judgeEvents(events: readonly SynapEvent[], state: StoreState): Verdict[] {
  const verdicts: Verdict[] = [];
  const firstById = new Map<string, number>();
  const firstByKey = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    const verdict = judgeEvent(event, state.originals[index]);
    verdicts.push(verdict);
    if (!firstById.has(event.id)) firstById.set(event.id, index);
    if (verdict.status === "stored" && event.idempotencyKey !== undefined)
      firstByKey.set(keyOf(event), index);
  }
  return verdicts;

  function judgeEvent(event: SynapEvent, original: Original | undefined): Verdict {
    if (original?.isById)
      return original.hasSameContent ? { status: "duplicate", original } : { status: "conflict" };
    const index = firstById.get(event.id);
    const [first, verdict] = index === undefined ? [] : [events[index], verdicts[index]];
    if (index !== undefined && first !== undefined && verdict !== undefined) {
      if (verdict.status !== "stored") return verdict;
      return hasSameContent(first, event) ? { status: "duplicate", original: index } : { status: "conflict" };
    }
    if (original !== undefined) return { status: "duplicate", original };
    if (state.isClosed(event)) return { status: "closed" };
    const sameKey = event.idempotencyKey === undefined ? undefined : firstByKey.get(keyOf(event));
    return sameKey === undefined ? { status: "stored" } : { status: "duplicate", original: sameKey };
  }
}

/**
 * Requires every event to be new or a duplicate, for an append that is all or nothing. Duplicates must be in the
 * same stream, because the version of another stream can't be the result of this append.
 * @throws EventIdConflictError, StreamClosedError
 */
export function requireAll(events: readonly SynapEvent[], verdicts: readonly Verdict[]): void {
  const conflict = events.find((_, index) => verdicts[index]?.status === "conflict");
  if (conflict !== undefined) throw new EventIdConflictError(conflict.id);
  const closed = events.find((_, index) => verdicts[index]?.status === "closed");
  if (closed !== undefined) {
    const { aggregateType, aggregateId } = closed;
    throw new StreamClosedError({ aggregateType, aggregateId });
  }
  for (const [index, event] of events.entries()) {
    const verdict = verdicts[index];
    if (verdict?.status !== "duplicate") continue;
    const { original } = verdict;
    const stream = typeof original === "number" ? events[original] : original.stream;
    if (stream !== undefined && streamKey(stream) !== streamKey(event))
      throw new EventIdConflictError(event.id);
  }
}

/**
 * Returns the expectations to compare. A stream whose events are all duplicates is left out, so that a repeated append gets
 * the answer of the first one.
 */
export function openExpectations(
  expectations: readonly Expectation[],
  events: readonly SynapEvent[],
  verdicts: readonly Verdict[],
): Expectation[] {
  const repeated = new Set(events.map(streamKey));
  for (const [index, event] of events.entries()) {
    if (verdicts[index]?.status !== "duplicate") repeated.delete(streamKey(event));
  }
  return expectations.filter((each) => !repeated.has(streamKey(each)));
}

/** @throws OptimisticLockError for the first stream that is not at its expected version. */
export function compareVersions(
  expectations: readonly Expectation[],
  state: Pick<StoreState, "versionOf">,
): void {
  for (const { aggregateType, aggregateId, expected } of expectations) {
    const stream = { aggregateType, aggregateId };
    const actual = state.versionOf(stream);
    if (!meetsExpectation(actual, expected)) throw new OptimisticLockError(stream, expected, actual);
  }
}

/**
 * Combines the outcomes of all events of an append, in order.
 * @param stored the outcomes of the events whose verdict is "stored", in their order
 */
export function collectOutcomes(
  events: readonly SynapEvent[],
  verdicts: readonly Verdict[],
  stored: readonly AppendedEvent[],
): AppendedEvent[] {
  const answers: AppendedEvent[] = [];
  let next = 0;
  for (const [index, event] of events.entries()) {
    const verdict = verdicts[index] ?? { status: "conflict" };
    if (verdict.status === "stored") {
      answers.push(required(stored[next], event));
      next += 1;
    } else if (verdict.status === "duplicate") answers.push(duplicateOf(verdict.original, event, answers));
    else
      answers.push({
        outcome: rejected(event.id, verdict.status === "closed" ? STREAM_CLOSED : ID_CONFLICT),
      });
  }
  return answers;
}

function duplicateOf(
  original: Original | number,
  event: SynapEvent,
  answers: readonly AppendedEvent[],
): AppendedEvent {
  const first = typeof original === "number" ? required(answers[original], event).outcome : original;
  if (!("position" in first)) throw new Error(`The original of event ${event.id} was not stored.`);
  const { id, position, streamVersion } = first;
  return { outcome: { status: "duplicate", id, position, streamVersion } };
}

function required(appended: AppendedEvent | undefined, event: SynapEvent): AppendedEvent {
  if (appended === undefined) throw new Error(`The append of event ${event.id} has no outcome.`);
  return appended;
}

/** Compares the content of two events; see `contentOf`. */
export function hasSameContent(one: SynapEvent, other: SynapEvent): boolean {
  return isDeepStrictEqual(contentOf(one), contentOf(other));
}

/**
 * Returns the content of an event for comparisons: its type and version, stream, user, creator, valid time and data, as JSON. Fields that may
 * differ when a sender repeats it are left out: the timestamp, the source, and the context of the request (request id,
 * correlation, causation and metadata). The store keeps those of the first one.
 */
export function contentOf(event: SynapEvent): unknown {
  const { type, schemaVersion, aggregateType, aggregateId, userId, createdBy, validFrom, validTo, data } =
    event;
  const valid = [validFrom, validTo].map((moment) => (moment === undefined ? null : Date.parse(moment)));
  return JSON.parse(
    JSON.stringify({ type, schemaVersion, aggregateType, aggregateId, userId, createdBy, valid, data }),
  );
}

export function keyOf({ createdBy, idempotencyKey }: SynapEvent): string {
  return JSON.stringify([createdBy, idempotencyKey]);
}

const ID_CONFLICT: EventIssue = {
  path: "id",
  code: "event-id-conflict",
  reason: "an event with this id and different content is already stored",
};

const STREAM_CLOSED: EventIssue = {
  path: "aggregateId",
  code: "stream-closed",
  reason: "the stream is closed and accepts no more events",
};
