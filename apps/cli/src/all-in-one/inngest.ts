import type { Database } from "@synap/database";
import { type InngestKeys, startInngestLocal } from "@synap/inngest-local";
import type { Logger } from "pino";
import { openBrokerDatabase } from "./broker-database.ts";
import { findInngestServer, type InngestServer, startInngestDevServer } from "./inngest-dev-server.ts";

/** Which Inngest carries the events: Synap's stand-in, Inngest's own dev server, or a server that already runs. */
export type InngestChoice = "stand-in" | "dev-server" | URL;

/**
 * How far the broker may be ahead of the worker. Senders beyond this wait, at last in the API, which tells them to come
 * again: a longer queue would make nothing faster, and every event as late as the queue is long. While they wait, small
 * requests gather into larger envelopes, which the worker stores faster.
 */
const MAX_DELAY_MS = 100;

/**
 * Brings up Inngest, or finds it.
 *
 * @throws StartError `INNGEST_UNAVAILABLE`
 */
export async function startInngest(options: {
  choice: InngestChoice;
  /** Of the stand-in. */
  keys: InngestKeys | "none";
  database: Database;
  /** The server that the database is on; undefined when embedded. */
  databaseUrl: string | undefined;
  host: string;
  port: number;
  /** Where the worker serves its functions. */
  appUrl: string;
  /** Has the worker register its functions with an Inngest that isn't the stand-in. Default: it does so by itself. */
  register?: () => Promise<unknown>;
  /** The waits between attempts in milliseconds; only the stand-in takes them. */
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
    const standIn = await startInngestLocal({
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
      await standIn.stop();
      await close();
    };
    return { url: standIn.url, ready: () => standIn.ready(), stop };
  } catch (error) {
    await close();
    throw error;
  }
}
