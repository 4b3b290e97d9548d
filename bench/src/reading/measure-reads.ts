import type { EventStore } from "@synap/database";
import type { StreamName } from "@synap/types";
import { DAY_MS } from "../filling/fill-log.ts";
import {
  briefStream,
  EVENTS_A_DAY,
  HISTORY_BEGINS,
  longStreams,
  momentOf,
  PACE_MS,
  positionOf,
} from "./history.ts";

/** Queries, each repeated at different places of the history. */
export const QUESTIONS = [
  "time-range",
  "first-look",
  "read-on",
  "read-on-tail",
  "read-on-nothing",
  "stream-day",
  "stream-100-days",
  "stream-all-days",
  "history-page-brief",
  "history-page-long",
  "by-id",
] as const;

export type Question = (typeof QUESTIONS)[number];
/** Milliseconds of each response, in the order in which they came. */
export type ReadTimes = Readonly<Record<Question, readonly number[]>>;

/** Events that most questions are about. */
const MANY = 1_000;
/** Events of a page of one aggregate's history. */
const PAGE = 100;

interface Rounds {
  /** For the questions with a percentile among their targets. */
  readonly ranges: number;
  readonly others: number;
}

/** Asks a store that holds so many days of history. Each answer must hold as many events as it should. */
export async function measureReads(
  store: EventStore,
  days: number,
  rounds: Rounds,
  onQuestion: (share: number) => void,
  signal: AbortSignal,
): Promise<ReadTimes> {
  const events = days * EVENTS_A_DAY;
  const random = randomNumbers(days);
  const range = async (index: number) => {
    const from = momentOf(index);
    const filter = { from: new Date(from), to: new Date(from + MANY * PACE_MS) };
    return (await store.query(filter, { limit: MANY, order: "asc" })).events.length;
  };
  const readOn = async (index: number) =>
    (await store.readAll({ after: positionOf(index), limit: MANY })).events.length;
  const stream = async (name: StreamName) => {
    let count = 0;
    for await (const _ of store.readStream(name)) count += 1;
    return count;
  };
  const page = async (name: StreamName) =>
    (await store.query(name, { limit: PAGE, order: "desc" })).events.length;
  const day = () => random(days);
  const ids = await someIds(store, () => random(events - 1));
  const wholeLasting = Math.max(1, Math.floor(days / 100)) * 100;

  // A connection that meets a day for the first time reads its catalogue first. After this it knows every day.
  const firstLooks = await ask(Math.min(days, 1_000), 0, signal, async (round) => {
    const at = Math.min(round * EVENTS_A_DAY + random(EVENTS_A_DAY), events - MANY - 1);
    return expectAbout(await range(at), MANY);
  });
  const plans: Record<Exclude<Question, "first-look">, [rounds: number, work: () => Promise<number>]> = {
    "time-range": [rounds.ranges, async () => expectAbout(await range(random(events - MANY)), MANY)],
    // Appends hold 100 events: a thousand from the middle of one end before the next would be cut.
    "read-on": [rounds.ranges, async () => expectAbout(await readOn(random(events - 2 * MANY)), MANY)],
    "read-on-tail": [rounds.ranges, async () => expect(await readOn(events - MANY - 1), MANY)],
    "read-on-nothing": [rounds.ranges, async () => expect(await readOn(events - 1), 0)],
    "stream-day": [rounds.others, async () => expect(await stream(longStreams.busy(day())), MANY)],
    "stream-100-days": [
      rounds.others,
      async () => expect(await stream(longStreams.lasting(random(wholeLasting))), 10 * Math.min(100, days)),
    ],
    "stream-all-days": [rounds.others, async () => expect(await stream(longStreams.lifelong), days)],
    "history-page-brief": [rounds.others, async () => expect(await page(briefStream(day())), 10)],
    "history-page-long": [
      rounds.others,
      async () => expect(await page(longStreams.lasting(random(wholeLasting))), PAGE),
    ],
    "by-id": [
      rounds.ranges,
      async () => expect((await store.getById(ids[random(ids.length)] ?? "")) === undefined ? 0 : 1, 1),
    ],
  };
  const times: Partial<Record<Question, readonly number[]>> = { "first-look": firstLooks };
  for (const question of QUESTIONS) {
    onQuestion(Object.keys(times).length / QUESTIONS.length);
    if (question === "first-look") continue;
    const [count, work] = plans[question];
    times[question] = await ask(count, Math.ceil(count / 5), signal, work);
  }
  return times as ReadTimes;
}

/** Duration of each round, after a warm-up. */
async function ask(
  rounds: number,
  warmUp: number,
  signal: AbortSignal,
  work: (round: number) => Promise<number>,
): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < warmUp + rounds; round += 1) {
    signal.throwIfAborted();
    const start = performance.now();
    await work(round);
    if (round >= warmUp) times.push(performance.now() - start);
  }
  return times;
}

async function someIds(store: EventStore, index: () => number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < 100) {
    const from = new Date(Math.floor(momentOf(index())));
    const { events } = await store.query(
      { from, to: new Date(HISTORY_BEGINS + 1_001 * DAY_MS) },
      { limit: 1, order: "asc" },
    );
    ids.push(...events.map(({ id }) => id));
  }
  return ids;
}

/** A response that is fast because it is empty would be none. */
function expect(found: number, expected: number): number {
  if (found !== expected) throw new Error(`A response held ${found} events, not ${expected}.`);
  return found;
}

/** As above, where the edges of the range may cut off a few: at most an append's worth. */
function expectAbout(found: number, expected: number): number {
  if (found < expected * 0.9) throw new Error(`A response held ${found} events, not about ${expected}.`);
  return found;
}

/** Pseudo-random whole numbers below a bound, the same in each run. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * bound);
  };
}
