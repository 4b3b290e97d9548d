import { streamKey } from "@synap/types/internal";
import { DatabaseUnavailableError } from "../connection/database-errors.ts";
import type { Database } from "../connection/sql-session.ts";
import { appendGroup, type StreamEvents } from "./append-group.ts";
import { type AppendedEvent, MAX_APPEND_EVENTS } from "./append-outcome.ts";

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
