import { resolve } from "node:path";
import { migrate, openDatabase } from "@synap/database";
import { waitForDatabase } from "@synap/database/internal";
import {
  createCommandLogger,
  describeUnknownSettings,
  endOnSignal,
  exitCodeOf,
  readServerUrls,
  UsageError,
} from "@synap/service";
import { commandOf } from "@synap/service/called-as";
import { Command } from "commander";
import { startInngest } from "./all-in-one/inngest.ts";
import { brokerKeys } from "./all-in-one/inngest-access.ts";
import { reservePorts } from "./all-in-one/ports.ts";
import { tokenPath } from "./data-directory/kept-token.ts";
import { dataOption, portOption, printFailure, urlOption, wholeOption } from "./terminal/command.ts";
import { helpText } from "./terminal/help-text.ts";

const environment = process.env;
const delay = wholeOption(0, 86_400_000);

/** The command line of `inngest-local`. */
export function inngestLocalCommand(): Command {
  return new Command("inngest-local")
    .description(
      "Runs the local broker as a process of its own, with its queue in the database at DATABASE_URL. For trying out and testing " +
        "separate processes on one machine; production uses Inngest itself.",
    )
    .option("--port <port>", "port to listen on; 0 takes any free port", portOption, 8288)
    .option(
      "--app <url>",
      "address of the worker's functions",
      urlOption,
      "http://127.0.0.1:3401/api/inngest",
    )
    .addOption(dataOption("directory of its keys, unless INNGEST_EVENT_KEY and INNGEST_SIGNING_KEY are set"))
    .option(
      "--no-keys",
      "accept calls without keys, as Inngest's dev server does (API and worker then need INNGEST_DEV=1)",
    )
    .option(
      "--retry-ms <ms...>",
      "delays between attempts in milliseconds, instead of Inngest's own",
      (value, previous: readonly number[] = []) => [...previous, delay(value)],
    )
    .option("--verbose", "log everything", false)
    .action(run)
    .addHelpText(
      "after",
      helpText({
        environment: [
          ["DATABASE_URL", "the server with its queue"],
          [
            "DATABASE_DIRECT_URL",
            "the same database past a connection pooler, if DATABASE_URL leads through one",
          ],
          ["INNGEST_EVENT_KEY", "key of those who send events, instead of one in its directory"],
          ["INNGEST_SIGNING_KEY", "key of the worker, instead of one in its directory"],
        ],
        examples: [
          [`DATABASE_URL=postgres://synap:PASSWORD@127.0.0.1:5432/synap ${commandOf("inngest-local")}`],
        ],
        exitCodes: ["done", "failed", "usage", "interrupted"],
      }),
    );
}

async function run(options: {
  port: number;
  app: string;
  data: string;
  keys: boolean;
  retryMs?: number[];
  verbose: boolean;
}): Promise<void> {
  const urls = readServerUrls(environment);
  if (urls === undefined) {
    throw new UsageError("DATABASE_URL is not set; the local broker needs a database for its queue.");
  }
  const logger = createCommandLogger("inngest-local", options.verbose ? "debug" : "info");
  for (const warning of describeUnknownSettings(environment)) logger.warn(warning);
  const stopping = new AbortController();
  let stop = async () => {};
  endOnSignal(async () => {
    stopping.abort();
    await stop();
  }, printFailure);
  try {
    const host = "127.0.0.1";
    const [port = 0] = await reservePorts([{ name: "broker", port: options.port, option: "--port" }], host);
    const keys = options.keys ? brokerKeys(resolve(options.data), environment) : ("none" as const);
    const server = await waitForDatabase(
      async () => {
        const database = await openDatabase(urls);
        stop = () => database.close();
        try {
          await migrate(database);
          const started = await startInngest({
            choice: "local",
            keys,
            database,
            server: urls,
            host,
            port,
            appUrl: options.app,
            logger,
            signal: stopping.signal,
            ...(options.retryMs === undefined ? {} : { retryDelays: options.retryMs }),
          });
          stop = async () => {
            await started.stop();
            await database.close();
          };
          return started;
        } catch (error) {
          await database.close();
          throw error;
        }
      },
      {
        signal: stopping.signal,
        onWaiting: (error) =>
          logger.warn(`waiting for the database: ${error instanceof Error ? error.message : String(error)}`),
      },
    );
    console.error(whatToSet(server.url, keys === "none" ? undefined : resolve(options.data)));
    // Without the functions, an event would start nothing.
    await server.ready();
    console.log(`inngest-local listens on ${server.url} and calls ${options.app}`);
  } catch (error) {
    if (stopping.signal.aborted) return;
    printFailure(error);
    process.exit(exitCodeOf(error));
  }
}

/** Environment variables that point the API and the worker to the local broker. Keys are named by their files, never printed. */
function whatToSet(url: string, directory: string | undefined): string {
  const value = (variable: string, name: "inngest-event-key" | "inngest-signing-key") =>
    environment[variable] || directory === undefined
      ? `  ${variable}: as in the environment of this command`
      : `  export ${variable}="$(cat '${tokenPath(directory, name)}')"`;
  const keys =
    directory === undefined
      ? ["  export INNGEST_DEV=1"]
      : [
          value("INNGEST_EVENT_KEY", "inngest-event-key"),
          value("INNGEST_SIGNING_KEY", "inngest-signing-key"),
          "  unset INNGEST_DEV",
        ];
  return ["The API and the worker need:", `  export INNGEST_BASE_URL=${url}`, ...keys].join("\n");
}
