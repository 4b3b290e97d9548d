import { createSynapClient } from "@synap/client";
import { surviveUnhandledFailures } from "@synap/handlers/internal";
import { isLoopback } from "@synap/http";
import { createCommandLogger, endOnSignal, exitCodeOf, readServerUrls } from "@synap/service";
import { commandOf } from "@synap/service/called-as";
import { UsageError } from "@synap/service/exit-codes";
import { loadConfig } from "@synap/synap";
import type { Command } from "commander";
import { describeRunning } from "./all-in-one/describe-running.ts";
import type { InngestChoice } from "./all-in-one/inngest.ts";
import { type RunningSynap, runSynap } from "./all-in-one/run-synap.ts";
import { type StartOptions, startOptions } from "./all-in-one/start-options.ts";
import { reportImport, stopWithDev } from "./dev/dev-channel.ts";
import { printFailure } from "./terminal/command.ts";
import { duration } from "./terminal/numbers.ts";

/** The command line of `start`. */
export function startCommand(): Command {
  return startOptions(
    "start",
    "Runs all of Synap in one process: the event store (embedded, or the TimescaleDB server at DATABASE_URL), the local broker, " +
      "the API and the worker. Ctrl-C stops it gracefully; if it is killed, no accepted event is lost.",
    [
      [commandOf("start")],
      [commandOf("start", "--data /var/lib/synap --port 8080")],
      [commandOf("start", "--inngest"), "with Inngest's dashboard"],
      [`DATABASE_URL=postgres://... ${commandOf("start")}`, "on a TimescaleDB server"],
    ],
  ).action(start);
}

async function start(options: StartOptions): Promise<void> {
  const from = performance.now();
  const stopping = new AbortController();
  let running: RunningSynap | undefined;
  // Registered before the start, so that Ctrl-C during the start stops the parts that were started.
  let started: Promise<unknown> = Promise.resolve();
  endOnSignal(async () => {
    const since = performance.now();
    stopping.abort();
    const work = running === undefined ? "what has begun to start" : "accepted work";
    console.error(`\nStopping: finishing ${work}. Press Ctrl-C again to end at once.`);
    await started;
    await running?.stop();
    console.error(`Stopped in ${duration(performance.now() - since)}.`);
  }, printFailure);
  stopWithDev();
  const server = readServerUrls(process.env);
  const logLevel = options.verbose ? "debug" : process.env["LOG_LEVEL"] || "info";
  const failures = surviveUnhandledFailures({ logger: createCommandLogger("synap", logLevel) });
  const run = async () => {
    refuseOtherHosts(process.env);
    return runSynap({
      failures,
      application: (await loadConfig({ path: options.config, onImport: reportImport() })).application,
      dataDirectory: options.data,
      apiPort: options.port,
      workerPort: options.workerPort,
      brokerPort: options.brokerPort,
      inngest: inngestChoice(options.inngest),
      logLevel,
      signal: stopping.signal,
      ...(server && { server }),
    });
  };
  const starting = run();
  started = starting.catch(() => undefined);
  try {
    running = await starting;
    // This process can't reopen the database while other parts hold it, so it exits and its supervisor restarts it.
    void running.database.failed.then((error) => {
      printFailure(error);
      process.exit(exitCodeOf(error));
    });
    console.log(
      describeRunning(running, {
        inngest: inngestChoice(options.inngest),
        logLevel,
        took: duration(performance.now() - from),
        signInUrl: await signInUrl(running),
      }),
    );
  } catch (error) {
    if (stopping.signal.aborted) return;
    printFailure(error);
    process.exit(exitCodeOf(error));
  }
}

/**
 * Refuses addresses at which others could reach the API or the worker: all that runs in one process is for this machine.
 *
 * @throws UsageError
 */
function refuseOtherHosts(environment: NodeJS.ProcessEnv): void {
  for (const name of ["SYNAP_API_HOST", "SYNAP_WORKER_HOST"]) {
    const host = environment[name] || "127.0.0.1";
    if (!isLoopback(host))
      throw new UsageError(
        `${name} is ${host}, and ${commandOf("start")} serves this machine only, at 127.0.0.1. Run the API and the worker as processes of ` +
          "their own to listen elsewhere, or unset it and put a proxy before it.",
      );
  }
}

/**
 * Makes a link by which a browser signs in as the operator. Undefined in production, where what is printed may be kept as a log, and where
 * none can be made.
 */
async function signInUrl({ apiUrl: url, token }: RunningSynap): Promise<string | undefined> {
  if (process.env["NODE_ENV"] === "production") return undefined;
  const link = await createSynapClient({ url, token, retry: { attempts: 1 } })
    .signInLink()
    .catch(() => undefined);
  return link?.url;
}

function inngestChoice(option: string | true | undefined): InngestChoice {
  if (option === undefined) return "local";
  return option === true ? "dev-server" : new URL(option);
}
