import { SYNAP_COMMAND } from "@synap/service/called-as";
import { Command, Option } from "commander";
import { configOption, dataOption, portOption, urlOption } from "../terminal/command.ts";
import { type HelpExample, helpText } from "../terminal/help-text.ts";

/** Options of `start` and `dev`. */
export interface StartOptions {
  port: number;
  workerPort: number;
  brokerPort: number;
  data: string;
  inngest?: string | true;
  config?: string;
  verbose: boolean;
}

/** The command line of `start` and `dev`, without an action. */
export function startOptions(name: string, description: string, examples: readonly HelpExample[]): Command {
  return new Command(name)
    .description(description)
    .addOption(
      new Option("--port <port>", "port of the API; 0 takes any free port")
        .env("SYNAP_API_PORT")
        .argParser(portOption)
        .default(3400),
    )
    .addOption(
      new Option("--worker-port <port>", "port of the worker, where the broker calls")
        .env("SYNAP_WORKER_PORT")
        .argParser(portOption)
        .default(3401),
    )
    .option("--broker-port <port>", "port of the local broker", portOption, 8288)
    .addOption(dataOption("the data directory, used by one process at a time"))
    .option(
      "--inngest [url]",
      "use Inngest itself instead of the local broker: a server that runs at URL (--inngest=URL), or, without URL, Inngest's " +
        "dev server with its dashboard, which is downloaded with npx",
      urlOption,
    )
    .addOption(configOption())
    .option("--verbose", "log everything (LOG_LEVEL=debug)", false)
    .addHelpText(
      "after",
      helpText({
        environment: [
          ["DATABASE_URL", "a TimescaleDB server instead of the embedded store"],
          [
            "DATABASE_DIRECT_URL",
            "the same database past a connection pooler, if DATABASE_URL leads through one",
          ],
          ["LOG_LEVEL", "debug, info, warn or error"],
          ["SYNAP_...", `the limits of the API and the worker: ${SYNAP_COMMAND} help settings`],
        ],
        examples,
        exitCodes: ["done", "failed", "usage", "interrupted"],
      }),
    );
}
