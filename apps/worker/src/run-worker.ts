import { setTimeout as sleep } from "node:timers/promises";
import { openMigratedDatabase } from "@synap/database/internal";
import type { UnhandledFailures } from "@synap/handlers";
import { loadConfig } from "@synap/synap";
import { checkBrokerChoice } from "@synap/types";
import type { Logger } from "pino";
import { createInngestClient } from "./client.ts";
import { ConfigurationError, readWorkerConfiguration } from "./configuration.ts";
import { type RunningWorker, startWorker, type WorkerParts } from "./server.ts";

/** What a worker is given beside its environment. */
export interface WorkerRunOptions extends Pick<WorkerParts, "handlers" | "projections"> {
  /** The unhandled failures of this process, to be counted in the database. */
  readonly failures?: UnhandledFailures;
}

/**
 * Runs a worker from environment variables: opens and migrates the database, loads the application's config, starts, and registers with Inngest when INNGEST_SERVE_ORIGIN says where Inngest finds it.
 *
 * @throws ConfigurationError naming the variables that are wrong or missing.
 */
export async function runWorker(
  variables: NodeJS.ProcessEnv,
  logger: Logger,
  { failures, ...parts }: WorkerRunOptions = {},
): Promise<Pick<RunningWorker, "close" | "url">> {
  const configuration = readWorkerConfiguration(variables);
  const url = variables["DATABASE_URL"];
  if (url === undefined || url === "") {
    throw new ConfigurationError(
      "DATABASE_URL is not set. A worker by itself needs a PostgreSQL server with TimescaleDB, for example " +
        "DATABASE_URL=postgres://user:password@127.0.0.1:5432/synap. To run everything in one process on the " +
        "embedded database, use: npm start",
    );
  }
  const brokerFault = checkBrokerChoice(variables, "INNGEST_SIGNING_KEY");
  if (brokerFault !== undefined) throw new ConfigurationError(brokerFault.reason);
  const { application } = await loadConfig({ path: variables["SYNAP_CONFIG"] });
  const { catalogue } = application;
  const database = await openMigratedDatabase(url, catalogue, {
    applications: application.migrations,
    limits: { maxConnections: configuration.databaseConnections, lockTimeout: configuration.lockTimeoutMs },
    onExposed: (message) => logger.warn(message),
    onWaiting: (error) =>
      logger.warn(`waiting for the database: ${error instanceof Error ? error.message : String(error)}`),
  });
  failures?.recordIn(database);
  try {
    const inngest = createInngestClient(logger);
    const worker = await startWorker({ ...application, ...parts, configuration, database, inngest, logger });
    logger.info(`listening on ${worker.url}, Inngest's functions at ${worker.url}/api/inngest`);
    const registering = new AbortController();
    if (configuration.serveOrigin !== undefined) void registerWhenReady(worker, logger, registering.signal);
    return {
      url: worker.url,
      close: async () => {
        registering.abort();
        await worker.close();
        await failures?.endRecording();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function registerWhenReady(worker: RunningWorker, logger: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await worker.register();
      logger.info("registered with Inngest");
      return;
    } catch (error) {
      logger.warn(
        `not registered with Inngest yet: ${error instanceof Error ? error.message : String(error)}`,
      );
      await sleep(5_000, undefined, { signal }).catch(() => undefined);
    }
  }
}
