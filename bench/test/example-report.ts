import type { Figure, Plot } from "../src/benchmark.ts";
import type { Report, Section } from "../src/report/report.ts";

/** A figure with round, made-up values. */
export function exampleFigure(changes: Partial<Figure> = {}): Figure {
  return { id: "example", name: "An example", value: 100, unit: "ratio", better: "higher", ...changes };
}

/** A part of a report, done. */
export function exampleSection(changes: Partial<Section> = {}): Section {
  return {
    name: "example",
    title: "An example",
    status: "done",
    tookMs: 1_000,
    figures: [exampleFigure()],
    plots: [],
    skipped: [],
    ...changes,
  };
}

/** A report of a machine that does not exist. */
export function exampleReport(changes: Partial<Report> = {}): Report {
  return {
    format: 1,
    mode: "full",
    startedAt: "2026-03-01T12:00:00.000Z",
    tookMs: 60_000,
    commit: { id: "0123456789abcdef0123456789abcdef01234567", changed: false },
    machine: {
      cpu: "Example CPU",
      cores: 2,
      memoryBytes: 16 * 1024 ** 3,
      os: "Example OS 1",
      node: "20.0.0",
      loadAverage: [0.1, 0.2, 0.3],
    },
    engines: [{ engine: "embedded", postgresql: "17.5", timescaledb: "2.23.0", edition: "community" }],
    benchmarks: [exampleSection()],
    ...changes,
  };
}

/** A report whose only benchmark found these figures. */
export function reportOf(figures: readonly Figure[], changes: Partial<Report> = {}): Report {
  return exampleReport({ benchmarks: [exampleSection({ figures: [...figures] })], ...changes });
}

/** Lines over powers of ten, as the cost against the size of a table is drawn. */
export const examplePlot: Plot = {
  title: "Query of 1,000 events against events stored",
  kind: "lines",
  xLabel: "events stored",
  yLabel: "ms",
  xScale: "log",
  series: [
    { name: "p50", points: [100_000, 1_000_000, 10_000_000].map((x, index) => ({ x, y: 5 + index })) },
    { name: "p99", points: [100_000, 1_000_000, 10_000_000].map((x, index) => ({ x, y: 18 + index })) },
  ],
};
