import type { SynapEvent } from "@synap/types";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { type FirstEvent, findDuplicates } from "./find-duplicates.ts";

/** The stored event that an event repeats, by its id or its creator's idempotency key. */
export interface RepeatedEvent extends FirstEvent {
  /**
   * Whether both have the same content: type, stream and data, compared as the append compares them. Two events with one
   * idempotency key may each name the stream that bears its own id, which is what a sender gets who names none.
   */
  readonly hasSameContent: boolean;
}

const FIND_TIMES = `
SELECT id, ${epochMs('"timestamp"')} AS "timestamp" FROM synap.event_ids
 WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::text::json))::uuid[])`;

// The stored event is read with its exact time, and the bounds let PostgreSQL leave out all other chunks.
const COMPARE = `
SELECT c.place
  FROM ROWS FROM (
         json_to_recordset($1::text::json) AS (
           id uuid, type text, "aggregateType" text, "aggregateId" text, data jsonb, "timestamp" timestamptz(3), "position" bigint
         )
       ) WITH ORDINALITY AS c(id, type, "aggregateType", "aggregateId", data, "timestamp", "position", place)
 CROSS JOIN LATERAL (
   SELECT s.id, s.type, s.aggregate_type, s.aggregate_id, s.data
     FROM synap.events AS s
    WHERE s."timestamp" = c."timestamp" AND s."position" = c."position" AND s."timestamp" BETWEEN $2 AND $3
   OFFSET 0
 ) AS s
 WHERE (s.type, s.aggregate_type, s.data) IS NOT DISTINCT FROM (c.type, c."aggregateType", c.data)
   AND (s.aggregate_id = c."aggregateId" OR (s.aggregate_id = s.id::text AND c."aggregateId" = c.id::text))`;

/**
 * For each event the stored one that it repeats, in the same order. One statement while nothing is repeated, three
 * otherwise.
 * @throws what the database says of data that it can't hold (SQLSTATE 22xxx)
 */
export async function repeatedEvents(
  session: SqlSession,
  events: readonly SynapEvent[],
): Promise<(RepeatedEvent | undefined)[]> {
  const found = await findDuplicates(session, events);
  if (found.size === 0) return events.map(() => undefined);
  const places = events.flatMap((event, place) => {
    const first = found.get(event.id);
    return first === undefined ? [] : [{ event, place, first }];
  });
  const ids = [...new Set(places.map(({ first }) => first.id))];
  const rows = await session.query<{ id: string; timestamp: number }>(FIND_TIMES, [JSON.stringify(ids)]);
  const times = new Map(rows.map(({ id, timestamp }) => [id, timestamp]));
  const pairs = places.flatMap(({ event, place, first }) => {
    const timestamp = times.get(first.id);
    return timestamp === undefined ? [] : [{ event, place, first, timestamp }];
  });
  if (pairs.length === 0) return events.map(() => undefined);
  const moments = pairs.map(({ timestamp }) => timestamp);
  const same = await session.query<{ place: number }>(COMPARE, [
    JSON.stringify(
      pairs.map(({ event: { id, type, aggregateType, aggregateId, data }, first, timestamp }) => ({
        id,
        type,
        aggregateType,
        aggregateId,
        data,
        timestamp: isoFromEpoch(timestamp),
        position: first.position,
      })),
    ),
    new Date(moments.reduce((least, each) => Math.min(least, each))),
    new Date(moments.reduce((most, each) => Math.max(most, each))),
  ]);
  const samePlaces = new Set(same.map(({ place }) => pairs[place - 1]?.place));
  const answers: (RepeatedEvent | undefined)[] = events.map(() => undefined);
  for (const { place, first } of pairs) {
    answers[place] = { ...first, hasSameContent: samePlaces.has(place) };
  }
  return answers;
}
