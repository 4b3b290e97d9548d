import type { Database } from "@synap/database";
import { installInngestLocal, startInngestLocal } from "@synap/inngest-local";
import type { Logger } from "pino";
import { findInngestServer, type InngestServer, startInngestDevServer } from "./inngest-dev-server.ts";

/** Which Inngest carries the events: Synap's stand-in, Inngest's own dev server, or a server that already runs. */
export type InngestChoice = "stand-in" | "dev-server" | URL;

/**
 * Brings up Inngest, or finds it.
 *
 * @throws StartError `INNGEST_UNAVAILABLE`
 */
export async function startInngest(options: {
  choice: InngestChoice;
  database: Database;
  host: string;
  port: number;
  /** Where the worker serves its functions. */
  appUrl: string;
  /** The waits between attempts in milliseconds; only the stand-in takes them. */
  retryDelays?: number[];
  logger: Logger;
  signal: AbortSignal;
}): Promise<InngestServer> {
  const { choice, port, appUrl, logger, signal } = options;
  if (choice instanceof URL) return findInngestServer(choice.origin);
  if (choice === "dev-server") {
    return startInngestDevServer({ port, appUrl, verbose: logger.isLevelEnabled("debug"), signal });
  }
  await installStandIn(options.database);
  return startInngestLocal({
    database: options.database,
    host: options.host,
    port,
    appUrls: [appUrl],
    logger: logger.child({}, { level: logger.isLevelEnabled("debug") ? "debug" : "warn" }),
    ...(options.retryDelays === undefined ? {} : { retryDelays: options.retryDelays }),
  });
}

/** Makes the stand-in's tables beside Synap's, for the role that Synap's own queries run as. */
export async function installStandIn(database: Database): Promise<void> {
  await database.asOwner(async (owner) => {
    await installInngestLocal({ query: owner.query, transaction: (work) => work(owner) });
    await owner.execute(`
      GRANT USAGE ON SCHEMA inngest_local TO synap_app;
      GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA inngest_local TO synap_app;
      GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA inngest_local TO synap_app;`);
  });
}
