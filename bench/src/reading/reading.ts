import type { Engine } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { seedCatalogue } from "@synap/types";
import type { BenchContext, BenchMode, Benchmark, BenchmarkResult } from "../benchmark.ts";
import { fillLog } from "../filling/fill-log.ts";
import { historyPlan } from "./history.ts";
import { measureReads } from "./measure-reads.ts";
import { type ReadMeasurement, readResult } from "./read-figures.ts";

interface Plan {
  /** Days of history at which to measure, 10,000 events each: one database that grows. */
  readonly days: Readonly<Record<Engine, readonly number[]>>;
  readonly rounds: { readonly ranges: number; readonly others: number };
}

const PLANS: Record<BenchMode, Plan> = {
  full: { days: { embedded: [10, 100], server: [10, 100, 1_000] }, rounds: { ranges: 300, others: 100 } },
  quick: { days: { embedded: [10], server: [10, 30] }, rounds: { ranges: 60, others: 20 } },
};

/**
 * Cost of reading, and its growth with the table. The history grows as a real one does, by going on: ten times as
 * many events are ten times as many days, so also ten times as many chunks. The same days filled more densely would
 * be the easier question: chunks are what costs.
 */
export const reading: Benchmark = {
  name: "reading",
  title: "Reading, against the size of the table",
  async run(context): Promise<BenchmarkResult> {
    const engines: Engine[] = context.serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const measurements: ReadMeasurement[] = [];
    for (const engine of engines) measurements.push(...(await measureEngine(engine, context)));
    return {
      ...readResult(measurements),
      skipped: context.serverUrl === undefined ? ["On a server: DATABASE_URL names none."] : [],
    };
  },
};

async function measureEngine(engine: Engine, context: BenchContext): Promise<ReadMeasurement[]> {
  const { days, rounds } = PLANS[context.mode];
  const sizes = days[engine];
  const { signal } = context;
  const url = engine === "server" ? context.serverUrl : undefined;
  const { database, remove } = await createTemporaryDatabase(url, "reading");
  try {
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const measurements: ReadMeasurement[] = [];
    let filled = 0;
    for (const size of sizes) {
      const report = (text: string, share: number) =>
        context.onProgress(`${engine}: ${text}`, share * (size / (sizes.at(-1) ?? size)));
      const to = size;
      await fillLog(
        database,
        historyPlan,
        { from: filled, to },
        (share) => report(`${size} days`, share * 0.8),
        signal,
      );
      const onQuestion = (share: number) => report(`reading ${size} days`, 0.8 + share * 0.2);
      const times = await measureReads(store, size, rounds, onQuestion, signal);
      measurements.push({ engine, days: size, times });
      filled = to;
    }
    return measurements;
  } finally {
    await remove();
  }
}
