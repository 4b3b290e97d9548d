import { waitForDatabase } from "@synap/database/internal";
import { loadConfig } from "@synap/synap";
import { type OpenEngineOptions, type OpenedEngine, openEngine } from "@synap/synap/internal";
import { checkBrokerChoice } from "@synap/types/internal";
import { START_COMMAND } from "./called-as.ts";
import { ConfigurationError, type DatabaseConfiguration } from "./configuration.ts";
import { readErasureLedger, readPersonalDataKeys } from "./personal-data-keys.ts";
import type { ProcessStart } from "./run-process.ts";
import { readServerUrls } from "./server-urls.ts";

/** The settings of the engine in the configuration of a process. */
interface EngineConfiguration extends DatabaseConfiguration {
  readonly latenessMs?: number;
}

/**
 * Opens the engine of an API or a worker: the config at SYNAP_CONFIG on the database at DATABASE_URL. Waits for a database
 * that doesn't answer yet. Closing the engine records pending failures and closes the database.
 *
 * @param keyVariable the key that this process needs with Inngest's public cloud
 * @param replica a replica of the database to read events from
 * @throws ConfigurationError naming the missing variables; ConfigFileError; the errors of `migrate`
 */
export async function openApplication(
  { variables, logger, failures }: ProcessStart,
  { databaseConnections, lockTimeoutMs, latenessMs }: EngineConfiguration,
  keyVariable: "INNGEST_EVENT_KEY" | "INNGEST_SIGNING_KEY",
  replica?: OpenEngineOptions["replica"],
): Promise<OpenedEngine> {
  const urls = readServerUrls(variables);
  if (urls === undefined) {
    throw new ConfigurationError(
      "DATABASE_URL is not set. A separate process needs a PostgreSQL server with TimescaleDB, for example " +
        "DATABASE_URL=postgres://user:password@127.0.0.1:5432/synap. To run everything in one process on the " +
        `embedded database, use: ${START_COMMAND}`,
    );
  }
  const brokerFault = checkBrokerChoice(variables, keyVariable);
  if (brokerFault !== undefined) throw new ConfigurationError(brokerFault.reason);
  const keys = readPersonalDataKeys(variables);
  const ledger = readErasureLedger(variables, (text) => logger.warn(text));
  const { application } = await loadConfig({ path: variables["SYNAP_CONFIG"] });
  const server = { ...urls, maxConnections: databaseConnections, lockTimeout: lockTimeoutMs };
  const opened = await waitForDatabase(
    () => openEngine(application, server, { logger, latenessMs, replica, keys, ledger }),
    {
      onWaiting: (error) =>
        logger.warn(`waiting for the database: ${error instanceof Error ? error.message : String(error)}`),
    },
  );
  const { engine } = opened;
  failures.recordIn(engine.database);
  return {
    engine,
    close: async () => {
      await failures.endRecording();
      await opened.close();
    },
  };
}
