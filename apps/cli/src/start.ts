#!/usr/bin/env node
import { surviveUnhandledFailures } from "@synap/handlers/internal";
import { createCommandLogger, endOnSignal } from "@synap/service";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import { loadConfig } from "@synap/synap";
import { describeRunning } from "./all-in-one/describe-running.ts";
import type { InngestChoice } from "./all-in-one/inngest.ts";
import { type RunningSynap, runSynap } from "./all-in-one/run-synap.ts";
import { type StartOptions, startCommand } from "./all-in-one/start-command.ts";
import { reportImport, stopWithDev } from "./dev/dev-channel.ts";
import { printFailure } from "./terminal/command.ts";
import { duration } from "./terminal/numbers.ts";

const environment = process.env;
const program = startCommand(
  "start",
  "Runs all of Synap in one process: the event store (embedded, or the TimescaleDB server at DATABASE_URL), the\n" +
    "event broker, the API and the worker. Ctrl-C stops it gracefully; if it is killed, no accepted event is lost.",
  `  ${SYNAP_COMMAND} start
  ${SYNAP_COMMAND} start --data /var/lib/synap --port 8080
  ${SYNAP_COMMAND} start --inngest                      with Inngest's dashboard
  DATABASE_URL=postgres://... ${SYNAP_COMMAND} start    on a TimescaleDB server`,
).action(start);

await program.parseAsync();

async function start(options: StartOptions): Promise<void> {
  const from = performance.now();
  const stopping = new AbortController();
  let running: RunningSynap | undefined;
  // Registered before the start, so that Ctrl-C during the start stops the parts that were started.
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
  stopWithDev();
  const databaseUrl = environment["DATABASE_URL"];
  const config = options.config ?? environment["SYNAP_CONFIG"];
  const backfillToken = environment["SYNAP_BACKFILL_TOKEN"];
  const adminToken = environment["SYNAP_ADMIN_TOKEN"];
  const logLevel = options.verbose ? "debug" : environment["LOG_LEVEL"] || "info";
  const failures = surviveUnhandledFailures({ logger: createCommandLogger("synap", logLevel) });
  const run = async () =>
    runSynap({
      failures,
      application: (await loadConfig({ path: config, onImport: reportImport() })).application,
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
    // This process can't reopen the database while other parts hold it, so it exits and its supervisor restarts it.
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
  if (option === undefined) return "local";
  if (option === true) return "dev-server";
  if (URL.canParse(option) && /^https?:/.test(option)) return new URL(option);
  return program.error(`error: --inngest takes an http(s) URL, not "${option}"`);
}
