import { median } from "@synap/cli/terminal/numbers.ts";
import type { BenchContext, Benchmark, BenchmarkResult, Figure, Plot } from "../benchmark.ts";
import { type ProcessSet, type Program, startProcessSet, type WayMeasured } from "./process-set.ts";

/**
 * `counts`: the numbers of APIs, and of workers, that are compared. `warmUp`: the events that each API publishes and appends before,
 * because the first thousands of requests cost a process several times as much as later ones.
 */
const EXTENT = {
  full: { counts: [1, 2, 4], rounds: 5, seconds: 3, warmUp: { publish: 20_000, append: 3_000 } },
  quick: { counts: [1, 2], rounds: 3, seconds: 1, warmUp: { publish: 5_000, append: 500 } },
};
const PROGRAMS: readonly Program[] = ["api", "worker", "broker"];

/** The two ways of sending events. */
const WAYS = {
  published: "published in batches of 1,000",
  appended: "appended one by one to new streams, 64 at a time",
};
type Way = keyof typeof WAYS;

/** A set of processes in one round. */
interface Sample extends Readonly<Record<Way, WayMeasured>> {
  readonly count: number;
}

/**
 * One, two and four APIs and workers, each set on a database of its own and all on one server, which take turns under the same offered load:
 * events a second, where the processor time goes, what the database's sessions wait for, its connections, and the write-ahead log
 * of an event.
 */
export const processes: Benchmark = {
  name: "processes",
  title: "Several APIs and workers on one server",
  async run({ mode, serverUrl, signal, onProgress }: BenchContext): Promise<BenchmarkResult> {
    if (serverUrl === undefined)
      return {
        figures: [],
        skipped: ["Several processes need a PostgreSQL server, and DATABASE_URL names none."],
      };
    const { counts, rounds, seconds, warmUp } = EXTENT[mode];
    const sets: ProcessSet[] = [];
    try {
      for (const count of counts) {
        onProgress(`warming up ${nameOf(count)}`, 0);
        const set = await startProcessSet(serverUrl, count, signal);
        sets.push(set);
        await repeat(() => set.publish(1), count * warmUp.publish, signal);
        await repeat(() => set.append(1), count * warmUp.append, signal);
      }
      const samples: Sample[] = [];
      for (let round = 0; round < rounds; round += 1) {
        for (const [index, set] of (round % 2 === 0 ? sets : sets.toReversed()).entries()) {
          signal.throwIfAborted();
          onProgress(nameOf(set.count), (round + index / sets.length) / rounds);
          const published = await set.publish(seconds);
          samples.push({ count: set.count, published, appended: await set.append(seconds) });
        }
      }
      const findings = await Promise.all(sets.map((set) => set.examine()));
      return {
        figures: [...counts.flatMap((count) => figuresOf(samples, count)), ...faultsOf(findings)],
        plots: plotsOf(samples, counts),
      };
    } finally {
      for (const set of sets) await set.stop();
    }
  },
};

/** Repeats work until so many events were sent. */
async function repeat(work: () => Promise<WayMeasured>, events: number, signal: AbortSignal): Promise<void> {
  for (let sent = 0; sent < events; sent += (await work()).events) signal.throwIfAborted();
}

function nameOf(count: number): string {
  return count === 1 ? "1 API and 1 worker" : `${count} APIs and ${count} workers`;
}

function figuresOf(samples: readonly Sample[], count: number): Figure[] {
  const those = samples.filter((sample) => sample.count === count);
  const single = samples.filter((sample) => sample.count === 1);
  return (["published", "appended"] as const).flatMap((way) => {
    const of = (value: (measured: WayMeasured) => number) => those.map((sample) => value(sample[way]));
    const rate = ({ events, seconds }: WayMeasured) => events / seconds;
    const rates = of(rate);
    const ratios = those.map((sample, round) => {
      const one = single[round];
      return one === undefined ? Number.NaN : rate(sample[way]) / rate(one[way]);
    });
    const figure = (id: string, what: string, values: readonly number[], about: Partial<Figure>): Figure => ({
      id: `processes.${count}.${way}.${id}`,
      name: `${nameOf(count)}, ${WAYS[way]}${what}`,
      engine: "server",
      value: median(values),
      unit: "events/s",
      better: "lower",
      samples: values,
      ...about,
    });
    const perEvent = (cpu: (measured: WayMeasured) => number | undefined) =>
      of((measured) => ((cpu(measured) ?? Number.NaN) * 1_000_000) / measured.events);
    const isMeasured = those.every((sample) => sample[way].server.cpuSeconds !== undefined);
    return [
      figure("rate", "", rates, { better: "higher", note: describeWaits(those, way) }),
      ...(count === 1
        ? []
        : [figure("ratio", ", against 1 API and 1 worker", ratios, { unit: "ratio", better: "higher" })]),
      ...PROGRAMS.map((program) =>
        figure(
          `cpu.${program}`,
          `, processor time of ${program}`,
          perEvent(({ cpu }) => cpu[program]),
          { unit: "µs/event", note: "All processes of the kind together, until everything is projected." },
        ),
      ),
      ...(isMeasured
        ? [
            figure(
              "cpu.postgresql",
              ", processor time of PostgreSQL",
              perEvent(({ server }) => server.cpuSeconds),
              {
                unit: "µs/event",
              },
            ),
          ]
        : []),
      figure(
        "wal",
        ", write-ahead log",
        of(({ server, events }) => server.walBytes / events),
        {
          unit: "bytes/event",
          note: "Of the whole server, with the read models and the local broker's queue: it must do nothing else meanwhile.",
        },
      ),
      figure(
        "connections",
        ", connections",
        of(({ server }) => server.connections),
        { unit: "connections" },
      ),
    ];
  });
}

/** The states in which sessions were seen most, for example "54 % processor, 20 % LWLock WALWrite". */
function describeWaits(samples: readonly Sample[], way: Way): string {
  const total = new Map<string, number>();
  for (const sample of samples)
    for (const [state, share] of sample[way].server.waits)
      total.set(state, (total.get(state) ?? 0) + share / samples.length);
  const most = [...total].toSorted(([, one], [, other]) => other - one).slice(0, 6);
  return `Working sessions of the database: ${most.map(([state, share]) => `${(share * 100).toFixed(0)} % ${state}`).join(", ")}.`;
}

type Findings = Awaited<ReturnType<ProcessSet["examine"]>>;

function faultsOf(findings: readonly Findings[]): Figure[] {
  const fault = (id: string, name: string, of: (finding: Findings) => number): Figure => ({
    id: `processes.${id}`,
    name,
    engine: "server",
    value: findings.reduce((total, finding) => total + of(finding), 0),
    unit: "events",
    better: "lower",
    target: { comparison: "at most", bound: 0 },
  });
  return [
    fault("lost", "responded 2xx and not stored", ({ lost }) => lost),
    fault("twice", "stored twice", ({ twice }) => twice),
    fault("failures", "appends without an answer of 2xx", ({ failedAppends }) => failedAppends),
  ];
}

function plotsOf(samples: readonly Sample[], counts: readonly number[]): Plot[] {
  return [
    {
      title: "Events a second by the number of APIs and of workers",
      kind: "lines",
      xLabel: "APIs, and as many workers",
      yLabel: "events/s",
      series: (["published", "appended"] as const).map((way) => ({
        name: WAYS[way],
        points: counts.map((count) => ({
          x: count,
          y: median(
            samples
              .filter((sample) => sample.count === count)
              .map((sample) => sample[way].events / sample[way].seconds),
          ),
        })),
      })),
    },
  ];
}
