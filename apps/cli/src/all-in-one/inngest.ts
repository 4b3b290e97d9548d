import type { Database } from "@synap/database";
import { type InngestKeys, startInngestLocal } from "@synap/inngest-local";
import type { Logger } from "pino";
import { openBrokerDatabase } from "./broker-database.ts";
import { findInngestServer, type InngestServer, startInngestDevServer } from "./inngest-dev-server.ts";

/** Choice of broker: the local one, Inngest's own dev server, or a running server at a URL. */
export type InngestChoice = "local" | "dev-server" | URL;

/**
 * Maximum number of events in the broker's queue. Beyond it senders wait, and in the end the API asks them to send again
 * later: a longer queue would not be faster, only delay every event. While they wait, small requests are coalesced into
 * larger envelopes, which the worker stores faster.
 */
const MAX_DELAY_MS = 100;

/**
 * Starts Inngest, or finds the one that runs.
 *
 * @throws StartError `INNGEST_UNAVAILABLE`
 */
export async function startInngest(options: {
  choice: InngestChoice;
  /** Keys of the local broker. */
  keys: InngestKeys | "none";
  database: Database;
  /** The server that the database is on; undefined when embedded. */
  databaseUrl: string | undefined;
  host: string;
  port: number;
  /** Address at which the worker serves its functions. */
  appUrl: string;
  /** Makes the worker register its functions with an Inngest other than the local broker. Default: it does so by itself. */
  register?: () => Promise<unknown>;
  /** Retry delays in milliseconds; for the local broker only. */
  retryDelays?: number[];
  logger: Logger;
  signal: AbortSignal;
}): Promise<InngestServer> {
  const { choice, port, appUrl, logger, signal, register = async () => {} } = options;
  if (choice instanceof URL) return findInngestServer(choice.origin, register);
  if (choice === "dev-server") {
    return startInngestDevServer({ port, appUrl, register, verbose: logger.isLevelEnabled("debug"), signal });
  }
  const { queue, close } = await openBrokerDatabase(options.database, options.databaseUrl);
  try {
    const broker = await startInngestLocal({
      database: queue,
      keys: options.keys,
      host: options.host,
      port,
      appUrls: [appUrl],
      logger: logger.child({}, { level: logger.isLevelEnabled("debug") ? "debug" : "warn" }),
      maxDelay: MAX_DELAY_MS,
      ...(options.retryDelays === undefined ? {} : { retryDelays: options.retryDelays }),
    });
    const stop = async () => {
      await broker.stop();
      await close();
    };
    return { url: broker.url, ready: () => broker.ready(), stop };
  } catch (error) {
    await close();
    throw error;
  }
}
