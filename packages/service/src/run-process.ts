import { surviveUnhandledFailures, type UnhandledFailures } from "@synap/handlers/internal";
import type { Logger } from "pino";
import { ConfigurationError } from "./configuration.ts";
import { describeUnknownSettings } from "./environment-names.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { createLogger } from "./logger.ts";
import { endOnSignal } from "./signals.ts";

/** The parameters of a process's start function. */
export interface ProcessStart {
  readonly variables: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** The unhandled failures of this process, to be counted in the database. */
  readonly failures: UnhandledFailures;
}

/**
 * Runs a process until a signal ends it, with a log and an orderly shutdown. Unhandled failures of handlers don't end it.
 * Exits with 0 after a shutdown, 2 for environment variables that are wrong or missing, and 1 if it could not start or stop.
 *
 * @param name the process name in its log, such as "api"
 */
export async function runProcess(
  name: string,
  start: (start: ProcessStart) => Promise<{ close(): Promise<void> }>,
): Promise<void> {
  const logger = readLogger(name);
  for (const warning of describeUnknownSettings(process.env)) logger.warn(warning);
  try {
    const failures = surviveUnhandledFailures({ logger });
    const running = await start({ variables: process.env, logger, failures });
    endOnSignal(
      async (signal) => {
        logger.info(`${signal}: finishing running work; a second signal stops at once`);
        await running.close();
        logger.info("stopped");
      },
      (error) => logger.fatal({ err: error }, "stopping failed"),
    );
  } catch (error) {
    // An error with a code has a complete message. Any other is a bug, so its stack is logged.
    if (error instanceof Error && "code" in error) logger.fatal(error.message);
    else logger.fatal({ err: error }, `the ${name} process cannot start`);
    process.exit(exitCodeOf(error));
  }
}

/** Creates the log of the process. Without one, the reason goes to standard error. */
function readLogger(name: string): Logger {
  try {
    return createLogger(name, process.env);
  } catch (error) {
    console.error(error instanceof ConfigurationError ? error.message : error);
    return process.exit(exitCodeOf(error));
  }
}
