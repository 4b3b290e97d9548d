import type { Database, EventStore } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import { DAY_MS, type DaysPlan, firstMoment, LONG, longStreams } from "./fill-days.ts";

/** Queries to the store, in this order. */
export const QUESTIONS = [
  "range",
  "read-all",
  "by-id",
  "brief-stream",
  "busy-stream",
  "lasting-stream",
] as const;
export type Question = (typeof QUESTIONS)[number];

/** Time to each answer, in milliseconds, and the first few answers. */
export interface Answers {
  readonly times: Readonly<Record<Question, readonly number[]>>;
  readonly first: Readonly<Record<Question, readonly (readonly StoredEvent[])[]>>;
}

const PAGE = 1_000;
/** Answers that are kept, to be compared. */
const KEPT = 3;

/** An event that is stored, as the questions need it. */
export interface Landmark {
  readonly id: string;
  readonly position: number;
  readonly aggregate_type: string;
  readonly aggregate_id: string;
}

/** Some events of brief streams, spread evenly over all that are stored. */
export function findLandmarks(database: Database, plan: DaysPlan, count: number): Promise<Landmark[]> {
  return database.query<Landmark>(
    `SELECT e.id, e."position", e.aggregate_type, e.aggregate_id
       FROM generate_series(0, $1::integer - 1) AS place
      CROSS JOIN LATERAL (
        SELECT * FROM synap.events
         WHERE "timestamp" >= to_timestamp($2::float8 + place * $3::float8 / $1) AND aggregate_id LIKE 'brief-%'
         ORDER BY "timestamp", "position"
         LIMIT 1
      ) AS e`,
    [count, firstMoment(plan) / 1_000, (plan.days * DAY_MS) / 1_000],
  );
}

/** Asks each question several times, at other places each time, and the same places whenever it is called. */
export async function measureQuestions(
  store: EventStore,
  plan: DaysPlan,
  landmarks: readonly Landmark[],
  times: number,
  signal: AbortSignal,
): Promise<Answers> {
  const begin = firstMoment(plan);
  // The last quarter of a day is left out, where a thousand events could reach into the days to come.
  const momentOf = (index: number) => new Date(begin + ((index * 0.618) % 1) * (plan.days - 0.25) * DAY_MS);
  const landmark = (index: number): Landmark => {
    const found = landmarks[index % landmarks.length];
    if (found === undefined) throw new Error("There is no event to ask for.");
    return found;
  };
  const ask: Record<Question, (index: number) => Promise<readonly StoredEvent[]>> = {
    range: async (index) => {
      const from = momentOf(index);
      const to = new Date(from.valueOf() + DAY_MS);
      return (await store.query({ from, to }, { limit: PAGE, order: "asc" })).events;
    },
    "read-all": async (index) =>
      (await store.readAll({ after: landmark(index).position, limit: PAGE })).events,
    "by-id": async (index) => {
      const event = await store.getById(landmark(index).id);
      return event === undefined ? [] : [event];
    },
    "brief-stream": (index) => {
      const { aggregate_type: aggregateType, aggregate_id: aggregateId } = landmark(index);
      return readWhole(store, { aggregateType, aggregateId });
    },
    "busy-stream": () => readWhole(store, longStreams.busy),
    "lasting-stream": () => readWhole(store, longStreams.lasting),
  };
  const least: Record<Question, number> = {
    range: PAGE,
    "read-all": 1,
    "by-id": 1,
    "brief-stream": 10,
    "busy-stream": LONG,
    "lasting-stream": LONG,
  };

  const found: Record<Question, number[]> = emptyLists();
  const first: Record<Question, (readonly StoredEvent[])[]> = emptyLists();
  for (const question of QUESTIONS) {
    await ask[question](times);
    for (let index = 0; index < times; index += 1) {
      signal.throwIfAborted();
      const start = performance.now();
      const events = await ask[question](index);
      found[question].push(performance.now() - start);
      if (events.length < least[question]) {
        throw new Error(`The question "${question}" was answered with ${events.length} events.`);
      }
      if (index < KEPT) first[question].push(events);
    }
  }
  return { times: found, first };
}

function emptyLists<T>(): Record<Question, T[]> {
  return {
    range: [],
    "read-all": [],
    "by-id": [],
    "brief-stream": [],
    "busy-stream": [],
    "lasting-stream": [],
  };
}

async function readWhole(
  store: EventStore,
  stream: { aggregateType: string; aggregateId: string },
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of store.readStream(stream)) events.push(event);
  return events;
}
