import type { SynapEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import {
  DatabaseUnavailableError,
  isTimeLimit,
  isUnavailable,
  sqlState,
} from "../connection/database-errors.ts";
import type { Database, SqlSession } from "../connection/sql-session.ts";
import type { PreparedAppend } from "./append-methods.ts";
import { appendNewEvents, MAX_APPEND_EVENTS } from "./append-new-events.ts";
import { findDuplicates } from "./find-originals.ts";
import { type AppendedEvent, type Expectation, keyOf } from "./judge-events.ts";
import { OptimisticLockError, toStreamError, unmetStreamsOf } from "./stream-errors.ts";

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
const MAX_SMALL_EVENTS = 64;
/** Longest JSON text of the events of such an append, in UTF-16 units. */
const MAX_SMALL_LENGTH = 16_384;

/** The append as one of a group; undefined if it can't be or is large. */
export function asStreamEvents({ events, expectations }: PreparedAppend): StreamEvents | undefined {
  const [event, ...more] = events;
  const [expectation, ...others] = expectations;
  if (event === undefined || others.length > 0 || events.length > MAX_SMALL_EVENTS) return undefined;
  const identities = events.flatMap((each) =>
    each.idempotencyKey === undefined ? [each.id] : [each.id, keyOf(each)],
  );
  if (new Set(identities).size < identities.length) return undefined;
  if (JSON.stringify(events).length > MAX_SMALL_LENGTH) return undefined;
  return { events: [event, ...more], identities, expectation };
}

export interface GroupedAppendsOptions {
  /** Its sessions for writing may be replaced. */
  readonly database: Pick<Database, "writes">;
  /** Number of calls at a time. An append that finds one free is sent at once, by itself. */
  readonly callsAtOnce: number;
  /** Longest time to wait for a lock in a call, in milliseconds; undefined: the session's. */
  readonly lockTimeout: number | undefined;
  /**
   * Appends outside of the calls that are shared, however long it takes.
   * @param isRepeated true if one of the events is probably stored already, or the stream closed
   */
  appendAlone(append: StreamEvents, isRepeated: boolean): Promise<readonly AppendedEvent[]>;
  /** Called after each call that stored something. */
  onStored(): void;
}

/** Number of appends in a call. */
const MAX_APPENDS = 256;
/** Number of appends that are looked at for a call: those behind wait for the next. */
const MAX_EXAMINED = 1_024;
/** Longest time in the queue, in milliseconds: longer than the calls before can take when the database answers. */
const MAX_WAIT = 60_000;

/** An append in the queue or in a call. */
interface Member {
  readonly append: StreamEvents;
  readonly stream: string;
  readonly isConditional: boolean;
  readonly since: number;
  resolve(appended: readonly AppendedEvent[] | PromiseLike<readonly AppendedEvent[]>): void;
  reject(error: unknown): void;
}

/**
 * Group commit for appends of a few events to one stream. While all calls are under way, appends queue, and the next call carries those
 * that fit, each with its own expected version and its own outcome. No timer: with few callers, nobody waits.
 *
 * The result is that of the appends one by one in some order. A stream is in one call at a time; in a call, several appends go to one
 * stream only if none expects a version. What can't be decided together is appended alone, and then the call waits for it no longer.
 *
 * @throws what `appendAlone` throws, OptimisticLockError, and DatabaseUnavailableError
 */
export function createGroupedAppends(
  options: GroupedAppendsOptions,
): (append: StreamEvents) => Promise<readonly AppendedEvent[]> {
  const { database, callsAtOnce, lockTimeout, appendAlone, onStored } = options;
  let queue: Member[] = [];
  let calls = 0;
  const streamsInCalls = new Set<string>();
  /** The number of appends under way to a stream outside of the calls. Another session may hold it: no call shall wait for that. */
  const streamsAlone = new Map<string, number>();

  function startCalls(): void {
    while (calls < callsAtOnce && queue.length > 0) {
      const before = queue.length;
      const group = takeGroup();
      if (group.length === 0 && queue.length === before) return;
      if (group.length === 0) continue;
      calls += 1;
      for (const { stream } of group) streamsInCalls.add(stream);
      void call(group).finally(() => {
        calls -= 1;
        for (const { stream } of group) streamsInCalls.delete(stream);
        startCalls();
      });
    }
  }

  /** Takes from the queue what one call may carry, in the order of the queue, past appends whose stream is in another call. */
  function takeGroup(): Member[] {
    const now = performance.now();
    const group: Member[] = [];
    const passed: Member[] = [];
    /** By stream, whether its append is conditional. */
    const streams = new Map<string, boolean>();
    const identities = new Set<string>();
    let events = 0;
    let examined = 0;
    for (const member of queue) {
      const isFull = group.length === MAX_APPENDS || events + member.append.events.length > MAX_APPEND_EVENTS;
      if (isFull || examined === MAX_EXAMINED) break;
      examined += 1;
      const sharesStream = streams.get(member.stream);
      if (now - member.since > MAX_WAIT) {
        member.reject(new DatabaseUnavailableError(`an append waited for ${MAX_WAIT / 1_000} s to be sent`));
      } else if (streamsAlone.has(member.stream)) {
        member.resolve(sendAlone(member.append, member.stream, false));
      } else if (
        streamsInCalls.has(member.stream) ||
        sharesStream === true ||
        (sharesStream === false && member.isConditional) ||
        member.append.identities.some((identity) => identities.has(identity))
      ) {
        passed.push(member);
      } else {
        group.push(member);
        events += member.append.events.length;
        streams.set(member.stream, member.isConditional);
        for (const identity of member.append.identities) identities.add(identity);
      }
    }
    queue = [...passed, ...queue.slice(examined)];
    return group;
  }

  async function sendAlone(append: StreamEvents, stream: string, isRepeated: boolean) {
    streamsAlone.set(stream, (streamsAlone.get(stream) ?? 0) + 1);
    try {
      return await appendAlone(append, isRepeated);
    } finally {
      const left = (streamsAlone.get(stream) ?? 1) - 1;
      if (left === 0) streamsAlone.delete(stream);
      else streamsAlone.set(stream, left);
    }
  }

  /** Never rejects. */
  async function call(group: readonly Member[]): Promise<void> {
    const outcomes = await appendGroup(
      database.writes,
      group.map(({ append }) => append),
      lockTimeout,
    );
    for (const [index, { append, stream, resolve, reject }] of group.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === "stored") resolve(outcome.appended);
      else if (outcome?.status === "refused") reject(outcome.error);
      else resolve(sendAlone(append, stream, outcome?.isRepeated ?? false));
    }
    if (outcomes.some(({ status }) => status === "stored")) onStored();
  }

  return (append) =>
    new Promise((resolve, reject) => {
      const { events, expectation } = append;
      queue.push({
        append,
        stream: streamKey(events[0]),
        isConditional: expectation !== undefined && expectation.expected !== "any",
        since: performance.now(),
        resolve,
        reject,
      });
      startCalls();
    });
}

/** The outcome of one append of a group. */
type GroupOutcome =
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
async function appendGroup(
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
    const refusal = state === "SY001" ? toStreamError(error) : undefined;
    if (refusal instanceof OptimisticLockError)
      return new Map([[only, conflict(only, refusal.actual, error)]]);
    if (state === "SY006" || state === "23505") return new Map([[only, LOOK_UP]]);
  }
  if (state === "SY013") {
    const unmet = new Map(unmetStreamsOf(error).map((each) => [streamKey(each.stream), each]));
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
