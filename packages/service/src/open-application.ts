import type { Database } from "@synap/database";
import { openMigratedDatabase } from "@synap/database/internal";
import type { Composition } from "@synap/handlers";
import { loadConfig } from "@synap/synap";
import { checkBrokerChoice } from "@synap/types";
import { ConfigurationError, type DatabaseConfiguration } from "./configuration.ts";
import type { ProcessStart } from "./run-process.ts";

/** The application that a process runs, with its database open. */
export interface OpenApplication {
  readonly application: Composition;
  /** Migrated, with the application's event types published. */
  readonly database: Database;
  /** Records the failures that are left, and closes the database. */
  close(): Promise<void>;
}

/**
 * Opens what the API and the worker run on: the config at SYNAP_CONFIG and the database at DATABASE_URL, migrated. A database
 * that doesn't answer yet is waited for.
 *
 * @param keyVariable the key that this process needs where Inngest is the public cloud
 * @throws ConfigurationError naming the variables that are missing; ConfigFileError; the errors of `migrate`
 */
export async function openApplication(
  { variables, logger, failures }: ProcessStart,
  { databaseConnections, lockTimeoutMs }: DatabaseConfiguration,
  keyVariable: "INNGEST_EVENT_KEY" | "INNGEST_SIGNING_KEY",
): Promise<OpenApplication> {
  const url = variables["DATABASE_URL"];
  if (url === undefined || url === "") {
    throw new ConfigurationError(
      "DATABASE_URL is not set. A process of its own needs a PostgreSQL server with TimescaleDB, for example " +
        "DATABASE_URL=postgres://user:password@127.0.0.1:5432/synap. To run everything in one process on the " +
        "embedded database, use: npm start",
    );
  }
  const brokerFault = checkBrokerChoice(variables, keyVariable);
  if (brokerFault !== undefined) throw new ConfigurationError(brokerFault.reason);
  const { application } = await loadConfig({ path: variables["SYNAP_CONFIG"] });
  const database = await openMigratedDatabase(url, application.catalogue, {
    applications: application.migrations,
    limits: { maxConnections: databaseConnections, lockTimeout: lockTimeoutMs },
    onExposed: (message) => logger.warn(message),
    onWaiting: (error) =>
      logger.warn(`waiting for the database: ${error instanceof Error ? error.message : String(error)}`),
  });
  failures.recordIn(database);
  return {
    application,
    database,
    close: async () => {
      await failures.endRecording();
      await database.close();
    },
  };
}
