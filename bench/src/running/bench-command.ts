import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { helpText } from "@synap/cli/terminal/help-text.ts";
import { runProgram, setUpCommand } from "@synap/cli/terminal/program.ts";
import { UsageError } from "@synap/service";
import { commandOf } from "@synap/service/called-as";
import { Command } from "commander";
import type { BenchMode, Benchmark } from "../benchmark.ts";
import { type BenchRequest, runBench } from "./run-bench.ts";

const bench = fileURLToPath(new URL("../..", import.meta.url));

interface BenchOptions {
  quick: boolean;
  list: boolean;
  output?: string;
  baseline?: string;
  saveBaseline: boolean;
  strict: boolean;
}

/** Runs the benchmarks as a command. Exit codes: see `exitCodeOf`. */
export async function runBenchCommand(benchmarks: readonly Benchmark[]): Promise<void> {
  const command = new Command("bench")
    .description(
      "Measures the whole of Synap beside its ceiling and its peers, and writes a report as JSON, Markdown and one HTML page. " +
        "Works in databases of its own, which it removes. Takes up to an hour, with --quick up to 4 minutes.",
    )
    .argument("[names...]", "which benchmarks to run (default: all of --list)")
    .option("--quick", "shorter runs with fewer samples, for CI and for a look while changing code", false)
    .option("--list", "list the benchmarks and end", false)
    .option("--output <dir>", "where to write the report (default: bench/results/<time>-<mode>)")
    .option(
      "--baseline <file>",
      "compare with this report (default: bench/baseline.json, with --quick bench/baseline-quick.json)",
    )
    .option("--save-baseline", "afterwards keep the result as the baseline, to be committed", false)
    .option("--strict", "exit with 1 when a target is missed, too", false)
    .addHelpText("after", HELP)
    .action((names: string[], options: BenchOptions) => run(benchmarks, names, options));
  await runProgram(setUpCommand(command, (args) => commandOf("bench", args)));
}

const HELP = helpText({
  notes: [
    "It fails when a benchmark fails, a promise was broken (events lost), or a figure became worse than the baseline by more than " +
      "its tolerance; with --strict also for a missed target. Ctrl-C reports what was measured by then, a second one ends at once.",
  ],
  environment: [
    [
      "DATABASE_URL",
      "a TimescaleDB server and a login that may create databases; without it only the embedded engine is measured",
    ],
    ["INNGEST_BASE_URL", "a real Inngest server, to measure the pipeline with it too"],
  ],
  examples: [
    [commandOf("bench"), "everything, up to an hour"],
    [commandOf("bench", "--quick"), "everything, up to 4 minutes"],
    [commandOf("bench", "append http"), "two of them"],
    [commandOf("bench", "--save-baseline"), "what later runs are compared with; commit the file"],
  ],
  exitCodes: ["done", "failed", "usage", "interrupted"],
});

async function run(
  benchmarks: readonly Benchmark[],
  names: readonly string[],
  options: BenchOptions,
): Promise<void> {
  if (options.list) {
    const width = Math.max(...benchmarks.map(({ name }) => name.length));
    for (const { name, title } of benchmarks) console.log(`${name.padEnd(width)}  ${title}`);
    return;
  }
  process.exitCode = await runBench(requestOf(benchmarks, names, options, process.env));
}

/**
 * Options from arguments and environment.
 *
 * @throws UsageError when it can't be meant
 */
export function requestOf(
  benchmarks: readonly Benchmark[],
  names: readonly string[],
  options: BenchOptions,
  environment: Readonly<Record<string, string | undefined>>,
): BenchRequest {
  const mode: BenchMode = options.quick ? "quick" : "full";
  if (options.saveBaseline && names.length > 0) {
    throw new UsageError("A baseline holds all benchmarks: use --save-baseline without names.");
  }
  const inngestUrl = environment["INNGEST_BASE_URL"] || undefined;
  if (inngestUrl !== undefined && !/^https?:/.test(inngestUrl)) {
    throw new UsageError(`INNGEST_BASE_URL must be an http(s) URL, not "${inngestUrl}".`);
  }
  const serverUrl = environment["DATABASE_URL"] || undefined;
  if (serverUrl !== undefined && !(URL.canParse(serverUrl) && /^postgres(ql)?:/.test(serverUrl))) {
    throw new UsageError("DATABASE_URL must be a URL like postgres://user:password@host:5432/postgres.");
  }
  const started = new Date().toISOString().slice(0, 19).replaceAll(":", "");
  return {
    mode,
    benchmarks: chosen(benchmarks, names),
    serverUrl,
    inngestUrl,
    outputDirectory: options.output ?? join(bench, "results", `${started}-${mode}`),
    baselineFile: options.baseline ?? join(bench, mode === "quick" ? "baseline-quick.json" : "baseline.json"),
    mustHaveBaseline: options.baseline !== undefined && !options.saveBaseline,
    saveBaseline: options.saveBaseline,
    isStrict: options.strict,
  };
}

function chosen(benchmarks: readonly Benchmark[], names: readonly string[]): readonly Benchmark[] {
  const known = benchmarks.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const none = unknown.length > 1 ? "There are no benchmarks" : "There is no benchmark";
    throw new UsageError(`${none} ${unknown.join(", ")}. Choose from: ${known.join(", ")}.`);
  }
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name));
}
