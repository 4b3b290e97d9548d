import { median } from "@synap/cli/terminal/numbers.ts";
import type { BenchMode, Benchmark, BenchmarkResult, Figure, Plot } from "../benchmark.ts";
import { openAcuris } from "./acuris-store.ts";
import type { Competitor } from "./competitor.ts";
import { openDcb } from "./dcb-store.ts";
import { openEmmett } from "./emmett-store.ts";
import {
  CALLERS,
  type CallersRow,
  measurePeers,
  type PeersPlan,
  type Rates,
  ROWS,
  type Row,
} from "./measure-peers.ts";
import { openSynap } from "./synap-store.ts";

const PLANS: Record<BenchMode, PeersPlan> = {
  full: { rounds: 9, batches: 5, singles: 500, readings: 20 },
  quick: { rounds: 3, batches: 2, singles: 100, readings: 10 },
};

/** Name of each row, and the target ratio of Synap's rate to the peer's. */
const ABOUT: Record<Row, { readonly name: string; readonly target: number }> = {
  batch: { name: "batches of 1,000 to one stream", target: 5 },
  single: { name: nameOf("single"), target: 1.2 },
  concurrent: { name: nameOf("concurrent"), target: 2 },
  callers64: { name: nameOf("callers64"), target: 5 },
  callers256: { name: nameOf("callers256"), target: 5 },
  read: { name: "reading a stream of 1,000", target: 1.3 },
};

function nameOf(row: CallersRow): string {
  const callers = CALLERS[row];
  return `one event to each of many streams, ${callers === 1 ? "one after the other" : `${callers} at a time`}`;
}

/**
 * Synap's store beside three others for TypeScript and PostgreSQL, on the same server and with the same events, each on a
 * database of its own and used as its documentation advises.
 */
export const peers: Benchmark = {
  name: "peers",
  title: "The store beside its peers",
  async run({ mode, serverUrl, onProgress, signal }): Promise<BenchmarkResult> {
    if (serverUrl === undefined) {
      return { figures: [], skipped: ["The peers need a PostgreSQL server, and DATABASE_URL names none."] };
    }
    const competitors: Competitor[] = [];
    try {
      for (const open of [openSynap, openEmmett, openAcuris, openDcb]) {
        signal.throwIfAborted();
        competitors.push(await open(serverUrl));
      }
      const onRound = (share: number) => onProgress("rounds", share);
      const rates = await measurePeers(competitors, PLANS[mode], onRound, signal);
      return {
        figures: ROWS.flatMap((row) => figuresOf(row, rates, competitors, mode)),
        plots: plotsOf(rates),
      };
    } finally {
      for (const competitor of competitors) await competitor.remove();
    }
  },
};

function figuresOf(row: Row, rates: Rates, competitors: readonly Competitor[], mode: BenchMode): Figure[] {
  const { name, target } = ABOUT[row];
  const quick = mode === "quick" ? ` Quick: ${PLANS.quick.rounds} rounds.` : "";
  const [synap, ...others] = competitors.map((competitor) => ({
    competitor,
    samples: rates[row].get(competitor) ?? [],
  }));
  if (synap === undefined) return [];
  return [
    ...[synap, ...others].map(
      ({ competitor, samples }): Figure => ({
        id: `peers.${row}.${competitor.id}`,
        name: `${competitor.name}: ${name}`,
        engine: competitor.id === "synap" ? "server" : undefined,
        value: median(samples),
        unit: "events/s",
        better: "higher",
        samples,
        note: noteOf(row, competitor.id) + quick,
      }),
    ),
    ...others.map(({ competitor, samples }): Figure => {
      const ratios = samples.map((rate, round) => (synap.samples[round] ?? Number.NaN) / rate);
      return {
        id: `peers.${row}.ratio-${competitor.id}`,
        name: `Synap against ${competitor.name}: ${name}`,
        engine: "server",
        value: median(ratios),
        unit: "ratio",
        better: "higher",
        samples: ratios,
        target: { comparison: "at least", bound: target },
        note: `The median of the rounds' ratios.${quick}`,
      };
    }),
  ];
}

/** Guarantees of each store for an append, compared with the others. */
function noteOf(row: Row, id: Competitor["id"]): string {
  if (row === "read") return "";
  if (id === "synap") return "Checks each event against its type, and looks for duplicates by id and key.";
  if (id === "emmett") return "Takes events as they are, and the same event twice.";
  if (id === "dcb")
    return "Takes events as they are, and the same event twice; an event has a position and no version.";
  return "Takes events as they are, and the same event twice; one statement for each event, one writer at a time.";
}

function plotsOf(rates: Rates): Plot[] {
  const competitors = [...rates.batch.keys()];
  return [
    {
      title: "Synap and its peers, on one server",
      kind: "bars",
      xLabel: "what is done",
      yLabel: "events/s",
      yScale: "log",
      series: competitors.map((competitor) => ({
        name: competitor.name,
        points: ROWS.map((row) => ({ x: SHORT[row], y: median(rates[row].get(competitor) ?? []) })),
      })),
    },
  ];
}

const SHORT: Record<Row, string> = {
  batch: "batches",
  single: "single",
  concurrent: "10 at a time",
  callers64: "64 at a time",
  callers256: "256 at a time",
  read: "read 1,000",
};
