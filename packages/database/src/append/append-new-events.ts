import type { ExpectedVersion, SynapEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { withLockTimeout } from "../connection/lock-waits.ts";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { APPENDS_CHANNEL } from "../subscriptions/append-signal.ts";
import type { AppendedEvent, Expectation } from "./judge-events.ts";

/** Maximum number of events of one append: a position has ten bits for the index. */
export const MAX_APPEND_EVENTS = 1024;

interface WaitOptions {
  /** Maximum time to wait for a lock, in milliseconds, here and in the rest of the transaction. */
  readonly lockTimeout?: number | undefined;
  /** Notify readers on commit, for a transaction of the caller. Can't be combined with a lock timeout. */
  readonly notifies?: boolean | undefined;
}

export interface AppendNewOptions extends WaitOptions {
  /** Expected versions of the events' streams, and of others that are only compared. */
  readonly expectations?: readonly Expectation[] | undefined;
  /** The streams are independent appends: the error names every stream that prevents the call. */
  readonly namesAll?: boolean | undefined;
}

interface Answer {
  readonly number: number;
  readonly recorded_at: number;
  readonly versions_before: readonly number[];
}

interface AnswerOfOne extends Omit<Answer, "versions_before"> {
  readonly version_before: number;
}

/** The parts of a statement that calls one of the SQL functions which append. */
interface AppendCall {
  /** The columns of its answer. */
  readonly columns: string;
  /** Makes the call from the text of its last argument. */
  readonly call: (expected: string) => string;
  /** The last argument: the expected version. */
  readonly expected: string;
  /** The parameter that holds the lock timeout: the one after the last. */
  readonly lockTimeout: string;
}

// Any login can fill the server's notification queue, and a full one fails the commit. Readers also poll.
const NOTIFY = `CASE WHEN pg_notification_queue_usage() < 0.5 THEN pg_notify('${APPENDS_CHANNEL}', '') END AS notified`;

/** Makes the statements of an append: by the options, the text and the parameters that come after those of the call. */
function appendStatements({ columns, call, expected, lockTimeout: parameter }: AppendCall) {
  const write = (before: string, last: string, more = "") =>
    `SELECT ${columns}${more} FROM ${before}${call(last)}`;
  const alone = write("", expected);
  const waiting = withLockTimeout(write, expected, parameter);
  const notifying = write("", expected, `, ${NOTIFY}`);
  return ({ lockTimeout, notifies = false }: WaitOptions) =>
    lockTimeout === undefined
      ? { text: notifies ? notifying : alone, parameters: [] }
      : { text: waiting, parameters: [String(lockTimeout)] };
}

// Cast from text, because drivers would encode JSON text as a JSON string for a json parameter.
const APPEND = appendStatements({
  columns: `number, ${epochMs("recorded_at")} AS recorded_at, versions_before`,
  call: (expected) => `synap.append_new_events(
         $1::text::json, $2::text::text[], $3::text::text[], $4::text::integer[], $5::text::bigint[], $6::text::bigint[],
         $7::text::integer[], $8::text::integer[], $9::text::text[], $10::text::text[], $11::text::boolean, ${expected}
       )`,
  expected: "$12::text::bigint[]",
  lockTimeout: "$13",
});

const APPEND_ONE = appendStatements({
  columns: `number, ${epochMs("recorded_at")} AS recorded_at, version_before`,
  call: (expected) => `synap.append_new_event($1::text::json, ${expected})`,
  expected: "$2::text::bigint",
  lockTimeout: "$3",
});

/**
 * Appends up to 1,024 complete events in one round trip, if every one is new, its stream open, and every stream at its
 * expected version. Wakes the readers only if `notifies` is set.
 *
 * @throws SQLSTATE 23505 for an id or an idempotency key that is taken, SY001 for a stream at another version, SY006 for
 *   a closed one, SY013 for either if `namesAll` is set, 22xxx for data that PostgreSQL can't store; then nothing is stored
 */
export async function appendNewEvents(
  session: SqlSession,
  events: readonly SynapEvent[],
  { expectations = [], namesAll = false, ...waits }: AppendNewOptions = {},
): Promise<AppendedEvent[]> {
  const [first] = events;
  if (first !== undefined && events.length === 1 && expectations.length <= 1) {
    const [{ expected, ...stream } = { ...first, expected: "any" as const }] = expectations;
    if (streamKey(stream) === streamKey(first))
      return [await appendNewEvent(session, first, expected, waits)];
  }
  const { streams, streamNumbers, ordinalsWithin } = groupByStream(events, expectations);
  const { text, parameters } = APPEND(waits);
  const [answer] = await session.query<Answer>(text, [
    JSON.stringify(events),
    textArray(streams.map(({ aggregateType }) => aggregateType)),
    textArray(streams.map(({ aggregateId }) => aggregateId)),
    numberArray(streams.map(({ count }) => count)),
    numberArray(streams.map(({ first }) => (first === undefined ? null : Date.parse(first)))),
    numberArray(streams.map(({ last }) => (last === undefined ? null : Date.parse(last)))),
    numberArray(streamNumbers),
    numberArray(ordinalsWithin),
    textArray(streams.map(({ owner }) => owner?.userId ?? null)),
    textArray(streams.map(({ owner }) => owner?.createdBy ?? null)),
    String(namesAll),
    expectations.length === 0 ? null : numberArray(expectedVersions(streams, expectations)),
    ...parameters,
  ]);
  if (answer === undefined) throw new Error("append_new_events returned no row.");
  const firstPosition = answer.number * MAX_APPEND_EVENTS;
  const recordedAt = isoFromEpoch(answer.recorded_at);
  return events.map(({ id }, index) => {
    const versionBefore = answer.versions_before[(streamNumbers[index] ?? 0) - 1];
    const ordinal = ordinalsWithin[index];
    if (versionBefore === undefined || ordinal === undefined)
      throw new Error(`append_new_events left out the stream of ${id}.`);
    const streamVersion = versionBefore + ordinal;
    return { outcome: { status: "stored", id, position: firstPosition + index, streamVersion }, recordedAt };
  });
}

/** As `appendNewEvents`, for one event that goes to a stream without further ones being compared: most appends are. */
async function appendNewEvent(
  session: SqlSession,
  event: SynapEvent,
  expected: ExpectedVersion,
  options: WaitOptions,
): Promise<AppendedEvent> {
  const version = expectedVersion(expected);
  const { text, parameters } = APPEND_ONE(options);
  const [answer] = await session.query<AnswerOfOne>(text, [
    JSON.stringify(columnsOf(event)),
    version === null ? null : String(version),
    ...parameters,
  ]);
  if (answer === undefined) throw new Error("append_new_event returned no row.");
  return {
    outcome: {
      status: "stored",
      id: event.id,
      position: answer.number * MAX_APPEND_EVENTS,
      streamVersion: answer.version_before + 1,
    },
    recordedAt: isoFromEpoch(answer.recorded_at),
  };
}

/** The event under the names of the columns of `synap.events`. */
function columnsOf(event: SynapEvent): Record<string, unknown> {
  const { id, version, type, data, metadata, source, timestamp } = event;
  return {
    id,
    version,
    type,
    data,
    metadata,
    source,
    timestamp,
    aggregate_type: event.aggregateType,
    aggregate_id: event.aggregateId,
    user_id: event.userId,
    created_by: event.createdBy,
    request_id: event.requestId,
    correlation_id: event.correlationId,
    causation_id: event.causationId,
    idempotency_key: event.idempotencyKey,
    valid_from: event.validFrom,
    valid_to: event.validTo,
    schema_version: event.schemaVersion,
  };
}

/** Formats a PostgreSQL text array. Inside quotes only quotes and backslashes need escaping; without them NULL is a null. */
export function textArray(values: readonly (string | null)[]): string {
  const quote = (value: string) => `"${value.replace(/["\\]/g, "\\$&")}"`;
  return `{${values.map((value) => (value === null ? "NULL" : quote(value))).join()}}`;
}

/** Writes numbers as the text of a PostgreSQL array. */
export function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? "NULL").join()}}`;
}

/** Encodes the expected version of each stream for `synap.append_new_events`. */
function expectedVersions(
  streams: readonly StreamShare[],
  expectations: readonly Expectation[],
): (number | null)[] {
  const byKey = new Map(expectations.map((each) => [streamKey(each), each.expected]));
  return streams.map((stream) => expectedVersion(byKey.get(streamKey(stream)) ?? "any"));
}

/** An expected version in the encoding of the SQL functions. */
function expectedVersion(expected: ExpectedVersion): number | null {
  if (expected === "any") return null;
  if (expected === "no-stream") return 0;
  return expected === "stream-exists" ? -1 : expected;
}

/** Number, time range and owner of the events of one stream in an append, for `synap.append_new_events`. */
interface StreamShare {
  readonly aggregateType: string;
  readonly aggregateId: string;
  count: number;
  /** First and last timestamp; undefined for a stream that is only compared. */
  first: string | undefined;
  last: string | undefined;
  /** Its first event here, which owns the stream if it is new; undefined for a stream that is only compared. */
  readonly owner: Pick<SynapEvent, "createdBy" | "userId"> | undefined;
}

/**
 * Groups the events by stream for `synap.append_new_events`. Streams are numbered from 1 in the order of their keys, in
 * which they are locked. JavaScript sorts by UTF-16 and PostgreSQL by UTF-8, which differ for a few names with an emoji
 * after a common beginning; a deadlock over those is retried.
 *
 * @param compared further streams, without events
 */
export function groupByStream(
  events: readonly SynapEvent[],
  compared: readonly Expectation[] = [],
): {
  readonly streams: readonly Readonly<StreamShare>[];
  readonly streamNumbers: readonly number[];
  readonly ordinalsWithin: readonly number[];
} {
  const shares = new Map<string, StreamShare>();
  const keys: string[] = [];
  const ordinalsWithin: number[] = [];
  for (const event of events) {
    const { aggregateType, aggregateId, timestamp } = event;
    const key = streamKey(event);
    let share = shares.get(key);
    if (share === undefined) {
      share = { aggregateType, aggregateId, count: 0, first: timestamp, last: timestamp, owner: event };
      shares.set(key, share);
    }
    share.count += 1;
    // All timestamps have one format, whose text order is the order in time.
    if (share.first === undefined || timestamp < share.first) share.first = timestamp;
    if (share.last === undefined || timestamp > share.last) share.last = timestamp;
    keys.push(key);
    ordinalsWithin.push(share.count);
  }
  for (const stream of compared) {
    const key = streamKey(stream);
    const { aggregateType, aggregateId } = stream;
    if (!shares.has(key))
      shares.set(key, {
        aggregateType,
        aggregateId,
        count: 0,
        first: undefined,
        last: undefined,
        owner: undefined,
      });
  }
  const sorted = [...shares.keys()].sort();
  const numbers = new Map(sorted.map((key, index) => [key, index + 1]));
  return {
    streams: sorted.flatMap((key) => shares.get(key) ?? []),
    streamNumbers: keys.map((key) => numbers.get(key) ?? 0),
    ordinalsWithin,
  };
}
