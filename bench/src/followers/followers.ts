import { median, percentile } from "@synap/cli/terminal/numbers.ts";
import type { Database, Engine, EventStore } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { seedCatalogue } from "@synap/types";
import { appendAll } from "../append/append-all.ts";
import type { BenchContext, Benchmark, BenchmarkResult, Figure } from "../benchmark.ts";
import { makeEvents } from "../events/make-events.ts";

/** Events in the log, rounds that read all of them, and events that a live follower waits for. */
const PLANS = {
  full: { events: 50_000, rounds: 7, live: 200 },
  quick: { events: 5_000, rounds: 5, live: 30 },
};
const BATCH = 1_000;
const PAGE = 500;
const STREAMS = 100;

const BARE = `SELECT * FROM synap.events WHERE "position" > $1 ORDER BY "position" LIMIT ${PAGE}`;

/** One follower that reads the log from its start, and then each event as it is stored. */
export const followers: Benchmark = {
  name: "followers",
  title: "Following the log",
  async run(context): Promise<BenchmarkResult> {
    const { serverUrl } = context;
    const engines: Engine[] = serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const figures: Figure[] = [];
    for (const [index, engine] of engines.entries()) {
      const onShare = (share: number) => context.onProgress(engine, (index + share) / engines.length);
      figures.push(...(await measure(engine, context, onShare)));
    }
    return { figures, skipped: serverUrl === undefined ? ["On a server: there is none."] : [] };
  },
};

async function measure(
  engine: Engine,
  { mode, serverUrl, signal }: BenchContext,
  onShare: (share: number) => void,
): Promise<Figure[]> {
  const { events, rounds, live } = PLANS[mode];
  const url = engine === "server" ? serverUrl : undefined;
  const { database, remove } = await createTemporaryDatabase(url, "followers");
  try {
    const store = createEventStore({ database, catalogue: seedCatalogue });
    for (let first = 0; first < events; first += BATCH) {
      signal.throwIfAborted();
      await appendAll(store, makeEvents({ count: BATCH, streams: STREAMS, first, lane: "followed" }));
      onShare((0.4 * first) / events);
    }
    const rates = { follower: [] as number[], bare: [] as number[] };
    for (let round = -1; round < rounds; round += 1) {
      signal.throwIfAborted();
      const follower = async () => events / (await timed(() => follow(store, events)));
      const bare = async () => events / (await timed(() => readBare(database, events)));
      const contestants = { follower, bare };
      for (const name of round % 2 === 0
        ? (["follower", "bare"] as const)
        : (["bare", "follower"] as const)) {
        const rate = await contestants[name]();
        if (round >= 0) rates[name].push(rate * 1_000);
      }
      onShare(0.4 + (0.4 * (round + 2)) / (rounds + 1));
    }
    return figuresOf(engine, rates, await measureLag(store, live, events, signal));
  } finally {
    await remove();
  }
}

/** Follows the log from its start to its end. @throws Error when events are missing */
async function follow(store: EventStore, expected: number): Promise<void> {
  let found = 0;
  for await (const { events, caughtUp } of store.subscribeToAll({ from: "start", batchSize: PAGE })) {
    found += events.length;
    if (caughtUp) break;
  }
  if (found !== expected) throw new Error(`${found} events were followed, not ${expected}.`);
}

/** Reads the table in the order of positions, with nothing that makes it safe beside appends. */
async function readBare(database: Database, expected: number): Promise<void> {
  let found = 0;
  let after = 0;
  for (;;) {
    const rows = await database.query<{ position: number }>(BARE, [after]);
    found += rows.length;
    after = rows.at(-1)?.position ?? after;
    if (rows.length < PAGE) break;
  }
  if (found !== expected) throw new Error(`${found} events were read, not ${expected}.`);
}

/** Milliseconds from the answer to an append until the event is with a follower that waits for it. */
async function measureLag(
  store: EventStore,
  live: number,
  first: number,
  signal: AbortSignal,
): Promise<number[]> {
  const lags: number[] = [];
  const stopped = new AbortController();
  const batches = store
    .subscribeToAll({ from: "now", signal: AbortSignal.any([signal, stopped.signal]) })
    [Symbol.asyncIterator]();
  // The first one says where it begins.
  await batches.next();
  for (let index = 0; index < live; index += 1) {
    signal.throwIfAborted();
    const events = makeEvents({ count: 1, streams: 1, first: first + index, lane: "live" });
    const answered = appendAll(store, events).then(() => performance.now());
    for (let has = false; !has; ) {
      const next = await batches.next();
      if (next.done === true) throw new Error("The follower ended before it had every event.");
      has = next.value.events.some(({ id }) => id === events[0]?.id);
    }
    lags.push(Math.max(0, performance.now() - (await answered)));
  }
  stopped.abort();
  await batches.return?.();
  return lags;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function figuresOf(
  engine: Engine,
  { follower, bare }: { readonly follower: readonly number[]; readonly bare: readonly number[] },
  lags: readonly number[],
): Figure[] {
  const ratios = follower.map((rate, round) => rate / (bare[round] ?? Number.NaN));
  const ms = { engine, unit: "ms", better: "lower" } as const;
  return [
    {
      id: `followers.${engine}.history`,
      name: `one follower from the start of the log, pages of ${PAGE}`,
      engine,
      value: median(follower),
      unit: "events/s",
      better: "higher",
      samples: follower,
    },
    {
      id: `followers.${engine}.history.ratio`,
      name: "the same, against reading the table in the order of positions",
      engine,
      value: median(ratios),
      unit: "ratio",
      better: "higher",
      samples: ratios,
    },
    {
      ...ms,
      id: `followers.${engine}.lag-p50`,
      name: "from an append's answer to a live follower, p50",
      value: median(lags),
    },
    {
      ...ms,
      id: `followers.${engine}.lag-p99`,
      name: "the same, p99",
      value: percentile(lags, 0.99),
      note: `${lags.length} events, one after the other`,
    },
  ];
}
