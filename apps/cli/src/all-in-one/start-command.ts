import { SYNAP_COMMAND } from "@synap/service/called-as";
import { Command, Option } from "commander";
import { portOption } from "../terminal/command.ts";
import { explainUsageErrors } from "../terminal/usage-errors.ts";

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

const environment = process.env;

/** The command line of `start` and `dev`, without an action. */
export function startCommand(name: string, description: string, examples: string): Command {
  return explainUsageErrors(new Command(name), `${SYNAP_COMMAND} ${name}`)
    .description(description)
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
      "use Inngest itself instead of the built-in broker: a server that runs at URL (--inngest=URL),\n" +
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
${examples}`,
    );
}
