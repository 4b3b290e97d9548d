import { percentile } from "@synap/cli/terminal/numbers.ts";
import { openDatabase } from "@synap/database";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import type { BenchContext, Benchmark, BenchmarkResult, Figure, Plot } from "../benchmark.ts";
import { type AppendPlan, type AppendRates, BATCH_SIZE, measureAppend } from "./measure-append.ts";

/** Result of one plan on one engine. */
interface Measured {
  readonly engine: "embedded" | "server";
  readonly plan: AppendPlan;
  readonly rates: AppendRates;
}

const SIZES = {
  full: { rounds: 25, batches: 4 },
  quick: { rounds: 5, batches: 2 },
};
/** Over how many streams the events of a batch are spread. */
const STREAMS = { full: [1, 100, "new"], quick: [100, "new"] } as const;

/** The store's appendBatch of 1,000 events against a bare insert of the same rows. */
export const append: Benchmark = {
  name: "append",
  title: "Appending batches, against a bare insert",
  async run(context): Promise<BenchmarkResult> {
    const { serverUrl } = context;
    const plans = (connections: number, all: readonly (number | "new")[]): AppendPlan[] =>
      all.map((streams) => ({ ...SIZES[context.mode], streams, connections }));
    const embedded = plans(1, STREAMS[context.mode]);
    const server = [...embedded, ...plans(2, context.mode === "full" ? [100, "new"] : [100])];
    const measured = [
      ...(await measure(context, "embedded", embedded, 0, serverUrl === undefined ? 1 : 0.45)),
      ...(serverUrl === undefined ? [] : await measure(context, "server", server, 0.45, 1)),
    ];
    return {
      figures: measured.flatMap((each) => figures(context, each)),
      plots: [plot(measured)],
      skipped: serverUrl === undefined ? ["On a server: there is none."] : [],
    };
  },
};

/** Each plan uses a separate database, since appends get slower as a table grows. */
async function measure(
  context: BenchContext,
  engine: Measured["engine"],
  plans: readonly AppendPlan[],
  from: number,
  to: number,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const [index, plan] of plans.entries()) {
    const made = await createTemporaryDatabase(
      engine === "embedded" ? undefined : context.serverUrl,
      "bench_append",
    );
    try {
      const database =
        made.url === undefined
          ? made.database
          : await openDatabase({ url: made.url, maxConnections: plan.connections });
      try {
        const onRound = (share: number) =>
          context.onProgress(
            `${engine}: ${describe(plan)}`,
            from + ((index + share) / plans.length) * (to - from),
          );
        measured.push({ engine, plan, rates: await measureAppend(database, plan, onRound, context.signal) });
      } finally {
        if (database !== made.database) await database.close();
      }
    } finally {
      await made.remove();
    }
  }
  return measured;
}

function figures({ mode }: BenchContext, { engine, plan, rates }: Measured): Figure[] {
  const id = `append.${engine}.${plan.connections}-connection${plan.connections === 1 ? "" : "s"}.${plan.streams}-streams`;
  const ratios = rates.store.map((rate, round) => rate / (rates.bare[round] ?? Number.NaN));
  const note = mode === "quick" ? `${plan.rounds} rounds of ${plan.batches} batches` : undefined;
  const common = { engine, better: "higher", note } as const;
  return [
    {
      ...common,
      id: `${id}.ratio`,
      name: `appendBatch of ${BATCH_SIZE.toLocaleString("en")}, ${describe(plan)}: store / bare insert`,
      value: percentile(ratios, 0.5),
      unit: "ratio",
      samples: ratios,
      target: { comparison: "at least", bound: plan.streams === "new" ? 0.65 : 0.8 },
    },
    {
      ...common,
      id: `${id}.store`,
      name: `appendBatch of ${BATCH_SIZE.toLocaleString("en")}, ${describe(plan)}`,
      value: percentile(rates.store, 0.5),
      unit: "events/s",
      samples: rates.store,
      target: { comparison: "at least", bound: 10_000 },
    },
    {
      ...common,
      id: `${id}.bare`,
      name: `bare insert of the same rows, ${describe(plan)}`,
      value: percentile(rates.bare, 0.5),
      unit: "events/s",
      samples: rates.bare,
    },
  ];
}

function describe({ streams, connections }: AppendPlan): string {
  const spread =
    streams === "new" ? "a new stream each" : streams === 1 ? "one stream" : `${streams} streams a batch`;
  return `${connections} connection${connections === 1 ? "" : "s"}, ${spread}`;
}

function plot(measured: readonly Measured[]): Plot {
  const group = ({ engine, plan }: Measured) => `${engine}, ${describe(plan)}`;
  return {
    title: "Events appended in a second, batches of 1,000",
    kind: "bars",
    xLabel: "",
    yLabel: "events/s",
    series: [
      {
        name: "Synap's store",
        points: measured.map((each) => ({ x: group(each), y: percentile(each.rates.store, 0.5) })),
      },
      {
        name: "bare insert (the ceiling)",
        points: measured.map((each) => ({ x: group(each), y: percentile(each.rates.bare, 0.5) })),
      },
    ],
  };
}
