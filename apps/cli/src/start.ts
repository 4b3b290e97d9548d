#!/usr/bin/env node
import { surviveUnhandledFailures } from "@synap/handlers";
import { createCommandLogger, endOnSignal } from "@synap/service";
import { loadConfig } from "@synap/synap";
import { Command, Option } from "commander";
import { describeRunning } from "./all-in-one/describe-running.ts";
import type { InngestChoice } from "./all-in-one/inngest.ts";
import { type RunningSynap, runSynap } from "./all-in-one/run-synap.ts";
import { portOption, printFailure } from "./terminal/command.ts";
import { duration } from "./terminal/numbers.ts";

interface StartOptions {
  port: number;
  workerPort: number;
  brokerPort: number;
  data: string;
  inngest?: string | true;
  config?: string;
  verbose: boolean;
}

const environment = process.env;
const program = new Command("start")
  .description(
    "Runs all of Synap in one process: the event store (embedded, or the TimescaleDB server at DATABASE_URL), the\n" +
      "event broker, the API and the worker. Ctrl-C stops it gracefully; if it is killed, no accepted event is lost.",
  )
  .addOption(
    new Option("--port <port>", "port of the API; 0 takes any free port")
      .argParser(portOption)
      .default(Number(environment["SYNAP_API_PORT"] || 3400)),
  )
  .addOption(
    new Option("--worker-port <port>", "port of the worker, where the broker calls")
      .argParser(portOption)
      .default(Number(environment["SYNAP_WORKER_PORT"] || 3401)),
  )
  .option("--broker-port <port>", "port of the event broker", portOption, 8288)
  .option(
    "--data <dir>",
    "the data directory, used by one process at a time",
    environment["SYNAP_DATA_DIR"] || ".synap",
  )
  .option(
    "--inngest [url]",
    "use Inngest itself instead of the built-in stand-in: a server that runs at URL (--inngest=URL),\n" +
      "or, without URL, Inngest's dev server with its dashboard, which is downloaded with npx",
  )
  .option(
    "--config <file>",
    "the application's config (default: synap.config.ts, .mts, .js or .mjs, if there is one)",
  )
  .option("--verbose", "log everything (LOG_LEVEL=debug)", false)
  .addHelpText(
    "after",
    `
Environment: DATABASE_URL (a TimescaleDB server instead of the embedded store), SYNAP_DATA_DIR, SYNAP_API_PORT,
SYNAP_WORKER_PORT, SYNAP_BACKFILL_TOKEN, SYNAP_ADMIN_TOKEN, SYNAP_CONFIG, LOG_LEVEL, and the limits in
docs/http-api.md.

Examples:
  npm start
  npm start -- --data /var/lib/synap --port 8080
  npm start -- --inngest                    with Inngest's dashboard
  DATABASE_URL=postgres://... npm start     on a TimescaleDB server`,
  )
  .action(start);

await program.parseAsync();

async function start(options: StartOptions): Promise<void> {
  const from = performance.now();
  const stopping = new AbortController();
  let running: RunningSynap | undefined;
  // From the first moment: Ctrl-C while it starts stops what has been started.
  let started: Promise<unknown> = Promise.resolve();
  endOnSignal(async () => {
    const since = performance.now();
    stopping.abort();
    console.error(
      running === undefined
        ? "\nStopping."
        : "\nStopping: finishing accepted work. Press Ctrl-C again to end at once.",
    );
    await started;
    await running?.stop();
    console.error(`Stopped in ${duration(performance.now() - since)}.`);
  }, printFailure);
  const databaseUrl = environment["DATABASE_URL"];
  const config = options.config ?? environment["SYNAP_CONFIG"];
  const backfillToken = environment["SYNAP_BACKFILL_TOKEN"];
  const adminToken = environment["SYNAP_ADMIN_TOKEN"];
  const logLevel = options.verbose ? "debug" : environment["LOG_LEVEL"] || "info";
  const failures = surviveUnhandledFailures({ logger: createCommandLogger("synap", logLevel) });
  const run = async () =>
    runSynap({
      failures,
      application: (await loadConfig({ path: config })).application,
      dataDirectory: options.data,
      apiPort: options.port,
      workerPort: options.workerPort,
      brokerPort: options.brokerPort,
      inngest: inngestChoice(options.inngest),
      logLevel,
      signal: stopping.signal,
      ...(databaseUrl ? { databaseUrl } : {}),
      ...(backfillToken ? { backfillToken } : {}),
      ...(adminToken ? { adminToken } : {}),
    });
  const starting = run();
  started = starting.catch(() => undefined);
  try {
    running = await starting;
    // Nothing here can open it anew while others hold it; whoever keeps the process alive starts it again.
    void running.database.failed.then((error) => {
      printFailure(error);
      process.exit(1);
    });
    console.log(
      describeRunning(running, {
        inngest: inngestChoice(options.inngest),
        logLevel,
        took: duration(performance.now() - from),
      }),
    );
  } catch (error) {
    if (stopping.signal.aborted) return;
    printFailure(error);
    process.exit(1);
  }
}

function inngestChoice(option: string | true | undefined): InngestChoice {
  if (option === undefined) return "stand-in";
  if (option === true) return "dev-server";
  if (URL.canParse(option) && /^https?:/.test(option)) return new URL(option);
  return program.error(`error: --inngest takes an http(s) URL, not "${option}"`);
}
