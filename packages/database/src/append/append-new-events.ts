import type { SynapEvent } from "@synap/types";
import { withLockTimeout } from "../connection/lock-timeout.ts";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import type { Expectation } from "../streams/stream-name.ts";
import { MAX_APPEND_EVENTS } from "./append-events.ts";
import type { AppendedEvent } from "./append-outcome.ts";

interface Answer {
  readonly number: number;
  readonly recorded_at: number;
  readonly versions_before: readonly number[];
}

// The text is cast here: as a json parameter, drivers would write JSON text as a JSON string.
const writeAppend = (before: string, expected: string) => `
SELECT number, ${epochMs("recorded_at")} AS recorded_at, versions_before
  FROM ${before}synap.append_new_events(
         $1::text::json, $2::text::text[], $3::text::text[], $4::text::integer[], $5::text::bigint[], $6::text::bigint[],
         $7::text::integer[], $8::text::integer[], ${expected}
       )`;

const APPEND = writeAppend("", "$9::text::bigint[]");
const APPEND_WITH_LOCK_TIMEOUT = withLockTimeout(writeAppend, "$9::text::bigint[]", "$10");

/**
 * Appends up to 1,024 complete events in one round trip, if every one is new and its stream open. The readers are not
 * woken.
 *
 * @param expectations of streams that the events belong to
 * @param lockTimeout longest time to wait for a lock, in milliseconds, here and in the rest of the transaction
 * @throws what the database says if one is not, or if it refuses one: then nothing is stored, and `appendEvents` finds
 *   out which. SQLSTATE 23505 for an id or an idempotency key that is taken, SY001 for a stream at another version, SY006 for a closed one,
 *   22xxx for data.
 */
export async function appendNewEvents(
  session: SqlSession,
  events: readonly SynapEvent[],
  expectations: readonly Expectation[] = [],
  lockTimeout?: number,
): Promise<AppendedEvent[]> {
  const { streams, streamNumbers, placesWithin } = groupByStream(events);
  const [answer] = await session.query<Answer>(
    lockTimeout === undefined ? APPEND : APPEND_WITH_LOCK_TIMEOUT,
    [
      JSON.stringify(events),
      textArray(streams.map(({ type }) => type)),
      textArray(streams.map(({ id }) => id)),
      numberArray(streams.map(({ count }) => count)),
      numberArray(streams.map(({ first }) => Date.parse(first))),
      numberArray(streams.map(({ last }) => Date.parse(last))),
      numberArray(streamNumbers),
      numberArray(placesWithin),
      expectations.length === 0 ? null : numberArray(expectedVersions(streams, expectations)),
      ...(lockTimeout === undefined ? [] : [String(lockTimeout)]),
    ],
  );
  if (answer === undefined) throw new Error("append_new_events gave no answer.");
  const firstPosition = answer.number * MAX_APPEND_EVENTS;
  const recordedAt = isoFromEpoch(answer.recorded_at);
  return events.map(({ id }, index) => {
    const versionBefore = answer.versions_before[(streamNumbers[index] ?? 0) - 1];
    const place = placesWithin[index];
    if (versionBefore === undefined || place === undefined)
      throw new Error(`append_new_events left out the stream of ${id}.`);
    const streamVersion = versionBefore + place;
    return { outcome: { status: "stored", id, position: firstPosition + index, streamVersion }, recordedAt };
  });
}

/** A list as PostgreSQL reads it; quoted, nothing but quotes and backslashes means anything in it. */
function textArray(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, "\\$&")}"`).join()}}`;
}

function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? "NULL").join()}}`;
}

/** For each stream what is expected of it, as `synap.append_new_events` writes that. */
function expectedVersions(
  streams: readonly StreamShare[],
  expectations: readonly Expectation[],
): (number | null)[] {
  const byName = new Map(
    expectations.map((each) => [nameOf(each.aggregateType, each.aggregateId), each.expected]),
  );
  return streams.map(({ type, id }) => {
    const expected = byName.get(nameOf(type, id)) ?? "any";
    if (expected === "any") return null;
    if (expected === "no-stream") return 0;
    return expected === "stream-exists" ? -1 : expected;
  });
}

/** Neither half holds a NUL, so no two streams share a name, and the names sort as the pairs do. */
function nameOf(type: string, id: string): string {
  return `${type}\0${id}`;
}

/** What comes for one stream: as `synap.append_new_events` asks for it. */
interface StreamShare {
  readonly type: string;
  readonly id: string;
  count: number;
  first: string;
  last: string;
}

/**
 * Sorts and counts what the SQL function wants sorted and counted. Streams are numbered from 1, in the order in which
 * they are locked: that of their names. JavaScript sorts by UTF-16 and PostgreSQL by UTF-8, which differ for a few names
 * that begin alike and go on with an emoji; two appends that met over those would be a deadlock, and tried again.
 */
export function groupByStream(events: readonly SynapEvent[]): {
  readonly streams: readonly Readonly<StreamShare>[];
  readonly streamNumbers: readonly number[];
  readonly placesWithin: readonly number[];
} {
  const shares = new Map<string, StreamShare>();
  const names: string[] = [];
  const placesWithin: number[] = [];
  for (const { aggregateType: type, aggregateId: id, timestamp } of events) {
    const name = nameOf(type, id);
    let share = shares.get(name);
    if (share === undefined) {
      share = { type, id, count: 0, first: timestamp, last: timestamp };
      shares.set(name, share);
    }
    share.count += 1;
    // All timestamps are written in one form, in which text order is time order.
    if (timestamp < share.first) share.first = timestamp;
    if (timestamp > share.last) share.last = timestamp;
    names.push(name);
    placesWithin.push(share.count);
  }
  const sorted = [...shares.keys()].sort();
  const numbers = new Map(sorted.map((name, index) => [name, index + 1]));
  return {
    streams: sorted.flatMap((name) => shares.get(name) ?? []),
    streamNumbers: names.map((name) => numbers.get(name) ?? 0),
    placesWithin,
  };
}
