#!/usr/bin/env node
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeRunning } from "@synap/cli/all-in-one/describe-running.ts";
import type { RunningSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { printFailure } from "@synap/cli/terminal/command.ts";
import { helpText } from "@synap/cli/terminal/help-text.ts";
import { duration } from "@synap/cli/terminal/numbers.ts";
import { runProgram, setUpCommand } from "@synap/cli/terminal/program.ts";
import { EXIT, endOnSignal, exitCodeOf } from "@synap/service";
import { commandOf } from "@synap/service/called-as";
import { Command } from "commander";
import { demoReport } from "./demo/demo-report.ts";
import { loadEarthquakes, startDemo } from "./demo/run-demo.ts";

const program = new Command("demo")
  .description(
    "Shows Synap at work on real data: starts it on a temporary directory with free ports, loads a week of earthquakes (USGS) " +
      "through its API, waits until every event can be queried, and prints what came of it.",
  )
  .option("--keep", "leave it running afterwards, to look around", false)
  .option("--verbose", "log everything", false)
  .addHelpText("after", helpText({ exitCodes: ["done", "failed", "usage", "interrupted"] }))
  .action(demo);

await runProgram(setUpCommand(program, (args) => commandOf("demo", args)));

async function demo({ keep, verbose }: { keep: boolean; verbose: boolean }): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "synap-demo-"));
  const logLevel = verbose ? "debug" : "warn";
  const stopping = new AbortController();
  let running: RunningSynap | undefined;
  let work: Promise<unknown> = Promise.resolve();
  const cleanUp = async () => {
    await running?.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  endOnSignal(async () => {
    stopping.abort();
    await work;
    await cleanUp();
  }, printFailure);
  const steps = async () => {
    const from = performance.now();
    running = await startDemo(directory, logLevel, stopping.signal);
    const took = duration(performance.now() - from);
    console.log(`Synap runs at ${running.apiUrl} (${running.database.engine} store, ready after ${took}).`);
    const result = await loadEarthquakes(running, directory, stopping.signal);
    console.log(`\n${await demoReport(result, running.database)}`);
    if (keep) console.log(describeRunning(running, { inngest: "local", logLevel, took }));
  };
  const working = steps();
  work = working.catch(() => undefined);
  try {
    await working;
    if (keep) return;
    await cleanUp();
    process.exit(EXIT.done);
  } catch (error) {
    if (stopping.signal.aborted) return;
    printFailure(error);
    await cleanUp().catch(printFailure);
    process.exit(exitCodeOf(error));
  }
}
