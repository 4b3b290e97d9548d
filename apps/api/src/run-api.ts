import { openMigratedDatabase } from "@synap/database/internal";
import type { UnhandledFailures } from "@synap/handlers";
import { loadConfig } from "@synap/synap";
import { checkBrokerChoice } from "@synap/types";
import type { Logger } from "pino";
import { ConfigurationError, readApiConfiguration } from "./configuration.ts";
import { createInngestClient } from "./publisher/event-api.ts";
import { type RunningApi, startApi } from "./server.ts";

/**
 * Runs an API from environment variables: opens and migrates the database, loads the application's config, and starts. Closing it closes the database too.
 *
 * @param failures the unhandled failures of this process, to be counted in the database
 * @throws ConfigurationError naming the variables that are wrong or missing.
 */
export async function runApi(
  variables: NodeJS.ProcessEnv,
  logger: Logger,
  { failures }: { readonly failures?: UnhandledFailures } = {},
): Promise<RunningApi> {
  const configuration = readApiConfiguration(variables);
  const url = variables["DATABASE_URL"];
  if (url === undefined || url === "") {
    throw new ConfigurationError(
      "DATABASE_URL is not set. An API by itself needs a PostgreSQL server with TimescaleDB, for example " +
        "DATABASE_URL=postgres://user:password@127.0.0.1:5432/synap. To run everything in one process on the " +
        "embedded database, use: npm start",
    );
  }
  const brokerFault = checkBrokerChoice(variables, "INNGEST_EVENT_KEY");
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
    const inngest = createInngestClient({ logger: logger.child({ part: "inngest" }, { level: "warn" }) });
    const api = await startApi({ ...application, configuration, database, inngest, logger });
    logger.info(`listening on ${api.url}, events go to ${inngest.eventBaseUrl}`);
    return {
      url: api.url,
      close: async () => {
        await api.close();
        await failures?.endRecording();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}
