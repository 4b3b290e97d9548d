import { isDeepStrictEqual } from "node:util";
import type { Database, Engine } from "@synap/database";
import { compressEvents, createEventStore } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { seedCatalogue } from "@synap/types";
import type { BenchContext, BenchMode, Benchmark, BenchmarkResult } from "../benchmark.ts";
import { type DaysPlan, fillDays } from "./fill-days.ts";
import { type Answers, findLandmarks, measureQuestions, QUESTIONS } from "./measure-questions.ts";
import { measureSizes } from "./measure-sizes.ts";
import { type Compression, storageFigures, storagePlots } from "./storage-figures.ts";

/** `times`: how often each question is asked, before and after. */
const PLANS: Record<BenchMode, DaysPlan & { readonly times: number }> = {
  full: { days: 4, eventsADay: 50_000, times: 100 },
  quick: { days: 2, eventsADay: 20_000, times: 20 },
};

/**
 * Size of an event in each table, the share that compression saves, and the cost of compression
 * when the events are read. What is read before and after must be the same.
 */
export const storage: Benchmark = {
  name: "storage",
  title: "Storage, uncompressed and compressed",
  async run(context): Promise<BenchmarkResult> {
    const engines: Engine[] = context.serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const results: BenchmarkResult[] = [];
    for (const [index, engine] of engines.entries()) {
      const onProgress = (text: string, share: number) =>
        context.onProgress(`${engine}: ${text}`, (index + share) / engines.length);
      results.push(await measureEngine(engine, { ...context, onProgress }));
    }
    return {
      figures: results.flatMap(({ figures }) => figures),
      plots: results.flatMap(({ plots }) => plots ?? []),
      skipped: [
        ...results.flatMap(({ skipped }) => skipped ?? []),
        ...(context.serverUrl === undefined ? ["On a server: DATABASE_URL names none."] : []),
      ],
    };
  },
};

async function measureEngine(engine: Engine, context: BenchContext): Promise<BenchmarkResult> {
  const { mode, signal, onProgress } = context;
  const plan = PLANS[mode];
  const { database, remove } = await createTemporaryDatabase(
    engine === "server" ? context.serverUrl : undefined,
    "storage",
  );
  try {
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const events = await fillDays(store, plan, (share) => onProgress("storing events", share * 0.5), signal);
    const sizes = await measureSizes(database);
    if (database.capabilities.edition !== "community") {
      return {
        figures: storageFigures({ engine, mode, events, sizes }),
        skipped: [`On the ${engine}: compression, which its TimescaleDB (Apache edition) does not have.`],
      };
    }
    const landmarks = await findLandmarks(database, plan, plan.times);
    const ask = async () => {
      await analyze(database);
      return measureQuestions(store, plan, landmarks, plan.times, signal);
    };
    onProgress("reading", 0.55);
    const before = await ask();
    onProgress("compressing", 0.7);
    const compression = await compress(database);
    onProgress("reading compressed events", 0.75);
    const after = await ask();
    expectSameAnswers(before, after);
    const measured = {
      engine,
      mode,
      events,
      sizes,
      compression: { ...compression, before: before.times, after: after.times },
    };
    return { figures: storageFigures(measured), plots: storagePlots(measured) };
  } finally {
    await remove();
  }
}

/** Autovacuum does it on a server; the embedded engine has none, and here only compression is to make a difference. */
async function analyze(database: Database): Promise<void> {
  await database.asOwner((owner) => owner.execute("ANALYZE synap.events"));
}

async function compress(database: Database): Promise<Omit<Compression, "before" | "after">> {
  const start = performance.now();
  const chunks = await compressEvents(database, { before: new Date() });
  const seconds = (performance.now() - start) / 1_000;
  const sum = (of: "bytesBefore" | "bytesAfter") => chunks.reduce((bytes, chunk) => bytes + chunk[of], 0);
  return {
    seconds,
    bytesBefore: sum("bytesBefore"),
    bytesAfter: sum("bytesAfter"),
    sizes: await measureSizes(database),
  };
}

function expectSameAnswers(before: Answers, after: Answers): void {
  for (const question of QUESTIONS) {
    if (isDeepStrictEqual(before.first[question], after.first[question])) continue;
    throw new Error(`The question "${question}" has another answer since the events were compressed.`);
  }
}
