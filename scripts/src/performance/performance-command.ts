import { wholeOption } from "@synap/cli/terminal/command.ts";
import { helpText } from "@synap/cli/terminal/help-text.ts";
import { runProgram, setUpCommand } from "@synap/cli/terminal/program.ts";
import { ProgressLine } from "@synap/cli/terminal/progress-line.ts";
import { EXIT } from "@synap/service";
import { commandOf } from "@synap/service/called-as";
import { Command, Option } from "commander";
import { measureEventStore } from "./measure-event-store.ts";
import { checkRatios, checkTargets, reportAsJson, reportAsText } from "./performance-report.ts";
import { createTemporaryDatabase } from "./temporary-database.ts";

/** Runs the performance test of the event store as a command. It fails when a target is missed. */
export async function runPerformanceCommand(): Promise<void> {
  const command = new Command("performance")
    .description(
      "Measures the event store: 100 serial appends, 100,000 events in batches of 1,000, and queries of 1,000 events by time. " +
        "Works on a database of its own, which it removes. Fails when a target is missed; with --judge ratios, for machines of " +
        "unknown speed, when a ratio within the run is.",
    )
    .option("--embedded", "measure the embedded engine, also when DATABASE_URL is set", false)
    .option("--events <n>", "events to append in batches", wholeOption(1_000, 100_000_000), 100_000)
    .addOption(
      new Option("--judge <what>", "what decides the exit code: the targets, or only ratios within the run")
        .choices(["targets", "ratios"])
        .default("targets"),
    )
    .option("--json", "print the result as JSON", false)
    .addHelpText(
      "after",
      helpText({
        environment: [
          ["DATABASE_URL", "a login that may create databases; without it the embedded engine is measured"],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    )
    .action(run);
  await runProgram(setUpCommand(command, (args) => commandOf("performance", args)));
}

interface PerformanceOptions {
  readonly embedded: boolean;
  readonly events: number;
  readonly judge: "targets" | "ratios";
  readonly json: boolean;
}

async function run(options: PerformanceOptions): Promise<void> {
  const progress = new ProgressLine();
  const size = {
    serialAppends: 100,
    batchedEvents: options.events,
    batchSize: 1_000,
    queries: 200,
    eventsAQuery: 1_000,
  };
  const serverUrl = options.embedded ? undefined : process.env["DATABASE_URL"] || undefined;
  const { database, remove } = await createTemporaryDatabase(serverUrl, "performance");
  try {
    const measurement = await measureEventStore(database, size, (text, share) => progress.show(share, text));
    progress.end();
    const report = options.json
      ? JSON.stringify(reportAsJson(measurement, database), null, 2)
      : reportAsText(measurement, database);
    console.log(report);
    const isGood =
      options.judge === "ratios"
        ? checkRatios(measurement).every(({ isKept }) => isKept)
        : checkTargets(measurement).every(({ isMet }) => isMet);
    process.exitCode = isGood ? EXIT.done : EXIT.failed;
  } finally {
    progress.end();
    await remove();
  }
}
