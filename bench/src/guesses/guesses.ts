import { median } from "@synap/cli/terminal/numbers.ts";
import type { Engine } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import type { BenchContext, Benchmark, BenchmarkResult, Figure } from "../benchmark.ts";

const ROUNDS = { full: 3_000, quick: 500 };
/** Rounds that don't count. */
const WARM_UP = 50;
const BATCH = 500;

/** Difference in time between the id of an event of somebody else and an id that no event has. */
export const guesses: Benchmark = {
  name: "guesses",
  title: "Guessing ids of others",
  async run(context): Promise<BenchmarkResult> {
    const { serverUrl } = context;
    const engines: Engine[] = serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const figures: Figure[] = [];
    for (const [index, engine] of engines.entries()) {
      context.onProgress(engine, index / engines.length);
      figures.push(...(await measure(engine, context)));
    }
    return { figures, skipped: serverUrl === undefined ? ["On a server: there is none."] : [] };
  },
};

async function measure(engine: Engine, { mode, serverUrl, signal }: BenchContext): Promise<Figure[]> {
  const { database, remove } = await createTemporaryDatabase(
    engine === "server" ? serverUrl : undefined,
    "guesses",
  );
  try {
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const count = ROUNDS[mode] + WARM_UP;
    const [theirs, none] = [make(count), make(count)];
    for (let from = 0; from < count; from += BATCH) await store.appendBatch(theirs.slice(from, from + BATCH));
    const reader = store.visibleTo({ userId: "bob" });
    const timed = async (event: SynapEvent | undefined) => {
      const start = performance.now();
      if ((await reader.getById(event?.id ?? "")) !== undefined)
        throw new Error("An event of another user was read.");
      return performance.now() - start;
    };
    const times = { theirs: [] as number[], none: [] as number[] };
    for (let round = 0; round < count; round += 1) {
      signal.throwIfAborted();
      // Whoever goes first meets another state of caches, so they take turns in that as well.
      const first = round % 2 === 0 ? await timed(theirs[round]) : await timed(none[round]);
      const second = round % 2 === 0 ? await timed(none[round]) : await timed(theirs[round]);
      if (round < WARM_UP) continue;
      times.theirs.push(round % 2 === 0 ? first : second);
      times.none.push(round % 2 === 0 ? second : first);
    }
    return figuresOf(engine, times);
  } finally {
    await remove();
  }
}

function make(count: number): SynapEvent[] {
  return Array.from({ length: count }, () =>
    createSynapEvent({ type: "note.creation.completed", userId: "ann", data: { content: "x" } }),
  );
}

function figuresOf(engine: Engine, { theirs, none }: { theirs: number[]; none: number[] }): Figure[] {
  const { share, deviations } = compare(theirs, none);
  return [
    {
      id: `guesses.${engine}.ratio`,
      name: "an event of another user, relative to none",
      engine,
      value: median(theirs) / median(none),
      unit: "ratio",
      better: "lower",
      note:
        `${median(theirs).toFixed(3)} ms against ${median(none).toFixed(3)} ms, medians of ${theirs.length} in turns. It is the slower one in ` +
        `${(100 * share).toFixed(1)} % of all pairs, ${deviations.toFixed(1)} standard deviations from half (Mann-Whitney).`,
    },
  ];
}

/** Compares two samples by the test of Mann and Whitney. */
function compare(one: readonly number[], other: readonly number[]): { share: number; deviations: number } {
  const all = [
    ...one.map((value) => ({ value, isOne: true })),
    ...other.map((value) => ({ value, isOne: false })),
  ].sort((a, b) => a.value - b.value);
  const ranks = all.reduce((sum, { isOne }, index) => sum + (isOne ? index + 1 : 0), 0);
  const pairs = one.length * other.length;
  const larger = ranks - (one.length * (one.length + 1)) / 2;
  const deviation = Math.sqrt((pairs * (one.length + other.length + 1)) / 12);
  return { share: larger / pairs, deviations: (larger - pairs / 2) / deviation };
}
