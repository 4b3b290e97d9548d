import type { StoredEvent } from "@synap/types";
import { epochMs } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { EVENT, type EventRow, readEventRow } from "../reading/event-row.ts";

/** The stored events of one version of an event type. */
export interface StoredVersion {
  readonly type: string;
  /** The version of the type's schema that they were written with. */
  readonly schemaVersion: number;
  readonly events: number;
  /** The first and the last timestamp, in milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
}

/** Maximum number of events of each kind in a sample. */
export const MAX_SAMPLE = 1_000;

/** The names of the event types that the store has heard of, sorted. */
export async function storedTypeNames(session: SqlSession): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>("SELECT name FROM synap.event_types ORDER BY name");
  return rows.map(({ name }) => name);
}

/** Counts the stored events of a type by version. Reads all of its events, without their data. */
export function storedVersions(session: SqlSession, type: string): Promise<readonly StoredVersion[]> {
  return session.query<StoredVersion & object>(COUNT, [type]);
}

const COUNT = `
SELECT $1::text AS type, coalesce(schema_version, 1)::int AS "schemaVersion", count(*)::float8 AS events,
       ${epochMs('min("timestamp")')} AS first, ${epochMs('max("timestamp")')} AS last
  FROM synap.events
 WHERE type = $1
 GROUP BY coalesce(schema_version, 1)
 ORDER BY 2`;

/** Events of one statement: at most some 12 MB. */
const PAGE = 50;

/**
 * Reads stored events of one version: the `size` oldest, the `size` newest, and those that follow `size` random moments in between. Each once,
 * and a few at a time.
 *
 * @param random returns numbers from 0 up to 1
 * @throws RangeError for a size that is no whole number from 1 to 1,000
 */
export async function* sampleEvents(
  session: SqlSession,
  { type, schemaVersion, first, last }: StoredVersion,
  size: number,
  random: () => number = Math.random,
): AsyncGenerator<StoredEvent, void, void> {
  if (!Number.isInteger(size) || size < 1 || size > MAX_SAMPLE)
    throw new RangeError(`A sample has 1 to ${MAX_SAMPLE} events of each kind, not ${size}.`);
  const seen = new Set<string>();
  const fresh = (events: readonly StoredEvent[]) =>
    events.filter(({ id }) => !seen.has(id) && seen.add(id) !== undefined);
  for (const order of ["ASC", "DESC"] as const) {
    let at = order === "ASC" ? first : last;
    let position = order === "ASC" ? 0 : Number.MAX_SAFE_INTEGER;
    for (let left = size; left > 0; ) {
      const limit = Math.min(left, PAGE);
      const rows = await session.query<EventRow>(pageOf(order), [
        type,
        schemaVersion,
        new Date(at),
        position,
        limit,
      ]);
      const events = rows.map(readEventRow);
      yield* fresh(events);
      const end = events.at(-1);
      if (end === undefined || events.length < limit) break;
      left -= events.length;
      at = Date.parse(end.timestamp);
      position = end.position;
    }
  }
  for (let moment = 0; moment < size && last > first; moment += 1) {
    const at = new Date(first + Math.floor(random() * (last - first)));
    const rows = await session.query<EventRow>(pageOf("ASC"), [type, schemaVersion, at, 0, 1]);
    yield* fresh(rows.map(readEventRow));
  }
}

/** A page of events after a place, in the order of the index of types. */
function pageOf(order: "ASC" | "DESC"): string {
  return `
SELECT ${EVENT}
  FROM (SELECT *
          FROM synap.events
         WHERE type = $1 AND coalesce(schema_version, 1) = $2
           AND ("timestamp", "position") ${order === "ASC" ? ">" : "<"} ($3, $4)
         ORDER BY "timestamp" ${order}, "position" ${order}
         LIMIT $5) AS page
 ORDER BY "timestamp" ${order}, "position" ${order}`;
}
