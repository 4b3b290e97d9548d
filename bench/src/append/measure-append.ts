import type { Database } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { allowBareInserts, insertBare, makeRows } from "@synap/scripts/performance/bare-insert.ts";
import { type SynapEvent, seedCatalogue } from "@synap/types";
import { makeEvents } from "../events/make-events.ts";
import { appendAll } from "./append-all.ts";

/** Amount of work. */
export interface AppendPlan {
  /** Streams that a batch is spread over; "new" starts one with every event. */
  readonly streams: number | "new";
  /** Concurrent appends, each on its own connection. */
  readonly connections: number;
  /** Rounds that count. In each, store and bare insert take turns. */
  readonly rounds: number;
  /** Batches of each contestant in a round and on a connection. */
  readonly batches: number;
}

/** Events a second, one value for each round, in order. */
export interface AppendRates {
  readonly store: readonly number[];
  readonly bare: readonly number[];
}

/** Events of a batch. */
export const BATCH_SIZE = 1_000;
/** Rounds that don't count: connections, plans and the just-in-time compiler are warm afterwards. */
const WARM_UP = 2;

/** Appends batches to the store and inserts as many rows without it, in turns, into the same table. */
export async function measureAppend(
  database: Database,
  plan: AppendPlan,
  onRound: (share: number) => void,
  signal: AbortSignal,
): Promise<AppendRates> {
  const store = createEventStore({ database, catalogue: seedCatalogue });
  const { streams, connections, rounds, batches } = plan;
  const rates = { store: [] as number[], bare: [] as number[] };
  let made = 0;
  const lanes = () =>
    Array.from({ length: connections }, (_, lane) =>
      Array.from({ length: batches }, () => {
        const events = makeEvents({ count: BATCH_SIZE, streams, first: made, lane: `append-${lane}` });
        made += BATCH_SIZE;
        return events;
      }),
    );
  const appendLanes = async (work: readonly (readonly SynapEvent[][])[]) => {
    await inParallel(work, async (events) => void (await appendAll(store, events)));
  };

  await allowBareInserts(database);
  for (let round = -WARM_UP; round < rounds; round++) {
    signal.throwIfAborted();
    const ours = lanes();
    const bare = await Promise.all(
      lanes().map((lane) => Promise.all(lane.map((events) => makeRows(database, events)))),
    );
    const contest = {
      store: () => appendLanes(ours),
      bare: () => inParallel(bare, (rows) => insertBare(database, rows)),
    };
    // Whoever goes first meets another state of caches and checkpoints, so they take turns in that as well.
    for (const name of round % 2 === 0 ? (["store", "bare"] as const) : (["bare", "store"] as const)) {
      const rate = await eventsPerSecond(contest[name], connections * batches * BATCH_SIZE);
      if (round >= 0) rates[name].push(rate);
    }
    onRound((round + WARM_UP + 1) / (rounds + WARM_UP));
  }
  return rates;
}

/** Each lane does its batches one after the other; the lanes work side by side. */
async function inParallel<Batch>(
  lanes: readonly (readonly Batch[])[],
  work: (batch: Batch) => Promise<void>,
): Promise<void> {
  await Promise.all(
    lanes.map(async (batches) => {
      for (const batch of batches) await work(batch);
    }),
  );
}

async function eventsPerSecond(work: () => Promise<void>, events: number): Promise<number> {
  const from = performance.now();
  await work();
  return (events / (performance.now() - from)) * 1_000;
}
