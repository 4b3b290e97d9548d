import { z } from "zod";
import type { Figure, Plot } from "../benchmark.ts";

/** A figure as it may stand in a report: every number finite, nothing else beside it. */
export const figureSchema: z.ZodType<Figure> = z.strictObject({
  id: z.string().min(1),
  name: z.string().min(1),
  engine: z.enum(["embedded", "server"]).optional(),
  value: z.number(),
  unit: z.string().min(1),
  better: z.enum(["higher", "lower"]),
  samples: z.array(z.number()).min(1).optional(),
  target: z.strictObject({ comparison: z.enum(["at least", "at most"]), bound: z.number() }).optional(),
  note: z.string().optional(),
});

const scale = z.enum(["linear", "log"]).optional();

/** A plot as it may stand in a report. */
export const plotSchema: z.ZodType<Plot> = z.strictObject({
  title: z.string(),
  kind: z.enum(["bars", "lines"]),
  xLabel: z.string(),
  yLabel: z.string(),
  xScale: scale,
  yScale: scale,
  series: z.array(
    z.strictObject({
      name: z.string(),
      points: z.array(z.strictObject({ x: z.union([z.number(), z.string()]), y: z.number() })),
    }),
  ),
});

const machine = z.strictObject({
  cpu: z.string(),
  cores: z.int().positive(),
  memoryBytes: z.number().positive(),
  os: z.string(),
  node: z.string(),
  /** Over 1, 5 and 15 minutes, before the run. */
  loadAverage: z.array(z.number()).length(3),
});

const engineVersions = z.strictObject({
  engine: z.enum(["embedded", "server"]),
  postgresql: z.string(),
  timescaledb: z.string().optional(),
  edition: z.enum(["community", "apache"]).optional(),
  /** Time for which a commit waits for the server's disk, in milliseconds. */
  commitWaitMs: z.number().nonnegative().optional(),
});

const section = z.strictObject({
  name: z.string(),
  title: z.string(),
  /** "interrupted": ended early, with the figures it had by then. "not run": the run was over before its turn. */
  status: z.enum(["done", "failed", "interrupted", "not run"]),
  tookMs: z.number().nonnegative(),
  error: z.string().optional(),
  figures: z.array(figureSchema),
  plots: z.array(plotSchema),
  skipped: z.array(z.string()),
});

/** A report as it is kept in JSON. A report of another `format` can't be compared with. */
export const reportSchema = z.strictObject({
  format: z.literal(1),
  mode: z.enum(["full", "quick"]),
  /** RFC 3339, UTC. */
  startedAt: z.iso.datetime(),
  tookMs: z.number().nonnegative(),
  /** Undefined outside of a git repository. `changed`: the files were not those of the commit. */
  commit: z.strictObject({ id: z.string(), changed: z.boolean() }).optional(),
  machine,
  engines: z.array(engineVersions),
  benchmarks: z.array(section),
});

/** Results of a run, and its machine. */
export type Report = z.infer<typeof reportSchema>;
/** One benchmark's part of a report. */
export type Section = z.infer<typeof section>;
/** Machine of a report. */
export type Machine = z.infer<typeof machine>;
/** Versions of an engine. */
export type EngineVersions = z.infer<typeof engineVersions>;

/** All figures of a report, in order. */
export function figuresOf(report: Report): Figure[] {
  return report.benchmarks.flatMap(({ figures }) => figures);
}

/** True when a figure meets its target; undefined without a target. */
export function isMet({ value, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  return target.comparison === "at least" ? value >= target.bound : value <= target.bound;
}

/**
 * True when a figure breaks a guarantee instead of being slow: more than none where none is allowed (events lost, wrong
 * answers). Such a figure fails every run.
 */
export function isBroken(figure: Figure): boolean {
  const { target } = figure;
  return target?.comparison === "at most" && target.bound === 0 && isMet(figure) === false;
}
