import type { SynapEvent } from "@synap/types";
import type { SqlSession } from "../connection/sql-session.ts";
import { MAX_APPEND_EVENTS } from "./append-events.ts";
import type { AppendedEvent } from "./append-outcome.ts";

interface Answer {
  readonly number: number;
  readonly recorded_at: Date;
  readonly versions_before: readonly number[];
}

// The text is cast here: as a json parameter, drivers would write JSON text as a JSON string.
const APPEND = `
SELECT number, recorded_at, versions_before
  FROM synap.append_new_events($1::text::json, $2::text::json, $3::text::integer[], $4::text::integer[])`;

/**
 * Appends up to 1,024 complete events in one round trip, if every one is new and its stream open.
 * @throws what the database says if one is not, or if it refuses one: then nothing is stored, and `appendEvents` finds
 *   out which. SQLSTATE 23505 for an id or an idempotency key that is taken, SY006 for a closed stream, 22xxx for data.
 */
export async function appendNewEvents(
  session: SqlSession,
  events: readonly SynapEvent[],
): Promise<AppendedEvent[]> {
  const { streams, streamNumbers, placesWithin } = groupByStream(events);
  const [answer] = await session.query<Answer>(APPEND, [
    JSON.stringify(events),
    JSON.stringify(streams),
    `{${streamNumbers.join()}}`,
    `{${placesWithin.join()}}`,
  ]);
  if (answer === undefined) throw new Error("append_new_events gave no answer.");
  const firstPosition = answer.number * MAX_APPEND_EVENTS;
  const recordedAt = answer.recorded_at.toISOString();
  return events.map(({ id }, index) => {
    const versionBefore = answer.versions_before[(streamNumbers[index] ?? 0) - 1];
    const place = placesWithin[index];
    if (versionBefore === undefined || place === undefined)
      throw new Error(`append_new_events left out the stream of ${id}.`);
    const streamVersion = versionBefore + place;
    return { outcome: { status: "stored", id, position: firstPosition + index, streamVersion }, recordedAt };
  });
}

/** What comes for one stream: as `synap.append_new_events` asks for it. */
interface StreamShare {
  readonly type: string;
  readonly id: string;
  count: number;
  first: string;
  last: string;
}

/** Counts what the SQL function wants counted. Streams are numbered from 1, in the order of their first event. */
export function groupByStream(events: readonly SynapEvent[]): {
  readonly streams: readonly Readonly<StreamShare>[];
  readonly streamNumbers: readonly number[];
  readonly placesWithin: readonly number[];
} {
  const numbers = new Map<string, number>();
  const streams: StreamShare[] = [];
  const streamNumbers: number[] = [];
  const placesWithin: number[] = [];
  for (const { aggregateType: type, aggregateId: id, timestamp } of events) {
    // Neither half holds a NUL, so no two streams share a name.
    const name = `${type}\0${id}`;
    const number = numbers.get(name) ?? streams.length + 1;
    let share = streams[number - 1];
    if (share === undefined) {
      numbers.set(name, number);
      share = { type, id, count: 0, first: timestamp, last: timestamp };
      streams.push(share);
    }
    share.count += 1;
    // All timestamps are written in one form, in which text order is time order.
    if (timestamp < share.first) share.first = timestamp;
    if (timestamp > share.last) share.last = timestamp;
    streamNumbers.push(number);
    placesWithin.push(share.count);
  }
  return { streams, streamNumbers, placesWithin };
}
