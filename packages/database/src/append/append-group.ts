import type { SynapEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { isTimeLimit, isUnavailable, sqlState } from "../connection/database-errors.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { OptimisticLockError, readRefusal, readUnmetStreams } from "../streams/stream-errors.ts";
import type { Expectation } from "../streams/stream-name.ts";
import { appendNewEvents } from "./append-new-events.ts";
import type { AppendedEvent } from "./append-outcome.ts";
import { findDuplicates } from "./find-originals.ts";
import { keyOf } from "./judge-events.ts";
import type { PreparedAppend } from "./prepare-append.ts";

/** An append to one stream, all or nothing, that is independent of all others. */
export interface StreamEvents {
  /** One or more. */
  readonly events: readonly [SynapEvent, ...SynapEvent[]];
  /** Their ids and their creators' idempotency keys, no two of which are the same. */
  readonly identities: readonly string[];
  /** The expected version of the stream; undefined: any. */
  readonly expectation?: Expectation | undefined;
}

/** Most events of an append that shares a call: small ones shall not wait for a large one. */
const MAX_EVENTS = 64;
/** Longest JSON text of the events of such an append, in UTF-16 units. */
const MAX_LENGTH = 16_384;

/** The append as one of a group; undefined if it can't be or is large. */
export function asStreamEvents({ events, expectations }: PreparedAppend): StreamEvents | undefined {
  const [event, ...more] = events;
  const [expectation, ...others] = expectations;
  if (event === undefined || others.length > 0 || events.length > MAX_EVENTS) return undefined;
  const identities = events.flatMap((each) =>
    each.idempotencyKey === undefined ? [each.id] : [each.id, keyOf(each)],
  );
  if (new Set(identities).size < identities.length) return undefined;
  if (JSON.stringify(events).length > MAX_LENGTH) return undefined;
  return { events: [event, ...more], identities, expectation };
}

/** The outcome of one append of a group. */
export type GroupOutcome =
  | { readonly status: "stored"; readonly appended: readonly AppendedEvent[] }
  | { readonly status: "refused"; readonly error: unknown }
  /** To be appended by itself: why it can't be appended with the others takes more than the call to find out. */
  | { readonly status: "alone"; readonly isRepeated: boolean };

/** Number of times that a group is sent. */
const ATTEMPTS = 4;

/**
 * Appends a group in one call, each append with its own outcome. A call is all or nothing: if a conflict, a closed stream or a
 * duplicate prevents it, it is sent again without the appends that have one. After any other failure of the statement, every append
 * is to be sent by itself. If the database is unavailable, all are refused: whether they are stored is unknown.
 *
 * @param appends several to one stream only if none has an expected version; no id or idempotency key twice
 * @param lockTimeout longest time to wait for a lock, in milliseconds; undefined: the session's
 */
export async function appendGroup(
  session: SqlSession,
  appends: readonly StreamEvents[],
  lockTimeout: number | undefined,
): Promise<GroupOutcome[]> {
  const outcomes = new Map<StreamEvents, GroupOutcome>();
  let rest = appends;
  for (let attempt = 1; rest.length > 0 && attempt <= ATTEMPTS; attempt += 1) {
    const settled = await tryAppends(session, rest, lockTimeout);
    if (settled.size === 0) break;
    for (const [append, outcome] of settled) outcomes.set(append, outcome);
    rest = rest.filter((each) => !settled.has(each));
  }
  return appends.map((each) => outcomes.get(each) ?? SEND_ALONE);
}

const SEND_ALONE: GroupOutcome = { status: "alone", isRepeated: false };
const LOOK_UP: GroupOutcome = { status: "alone", isRepeated: true };

/** Sends a group once. Returns the outcomes that are known: of all if the call succeeds, or else of those that prevented it. */
async function tryAppends(
  session: SqlSession,
  appends: readonly StreamEvents[],
  lockTimeout: number | undefined,
): Promise<Map<StreamEvents, GroupOutcome>> {
  const events = appends.flatMap((each) => each.events);
  const expectations = appends.flatMap(({ expectation }) => expectation ?? []);
  try {
    const appended = await appendNewEvents(session, events, { expectations, lockTimeout, namesAll: true });
    let start = 0;
    return new Map(
      appends.map((each) => {
        const own = appended.slice(start, start + each.events.length);
        start += each.events.length;
        return [each, { status: "stored", appended: own }];
      }),
    );
  } catch (error) {
    if (isUnavailable(error) || isTimeLimit(error))
      return new Map(appends.map((each) => [each, { status: "refused", error }]));
    return findCauses(session, appends, error);
  }
}

/** The appends that prevented a call. */
async function findCauses(
  session: SqlSession,
  appends: readonly StreamEvents[],
  error: unknown,
): Promise<Map<StreamEvents, GroupOutcome>> {
  const events = appends.flatMap((each) => each.events);
  const state = sqlState(error);
  const [only] = appends;
  if (only !== undefined && appends.length === 1) {
    const refusal = state === "SY001" ? readRefusal(error) : undefined;
    if (refusal instanceof OptimisticLockError)
      return new Map([[only, conflict(only, refusal.actual, error)]]);
    if (state === "SY006" || state === "23505") return new Map([[only, LOOK_UP]]);
  }
  if (state === "SY013") {
    const unmet = new Map(readUnmetStreams(error).map((each) => [streamKey(each.stream), each]));
    return new Map(
      appends.flatMap((each): [StreamEvents, GroupOutcome][] => {
        const stream = unmet.get(streamKey(each.events[0]));
        if (stream === undefined) return [];
        const isLookedUp = stream.isClosed || stream.isRepeated;
        return [[each, isLookedUp ? LOOK_UP : conflict(each, stream.version, error)]];
      }),
    );
  }
  if (state !== "23505") return new Map();
  const stored = await findDuplicates(session, events).catch(() => new Map());
  return new Map(
    appends.filter((each) => each.events.some(({ id }) => stored.has(id))).map((each) => [each, LOOK_UP]),
  );
}

function conflict({ events, expectation }: StreamEvents, actual: number, cause: unknown): GroupOutcome {
  const [{ aggregateType, aggregateId }] = events;
  const expected = expectation?.expected ?? "any";
  const error = new OptimisticLockError({ aggregateType, aggregateId }, expected, actual, { cause });
  return { status: "refused", error };
}
