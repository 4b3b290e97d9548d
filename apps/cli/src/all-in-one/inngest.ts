import type { Database } from "@synap/database";
import { type InngestKeys, startInngestLocal } from "@synap/inngest-local";
import type { ServerUrls } from "@synap/service";
import type { Logger } from "pino";
import { openBrokerDatabase } from "./broker-database.ts";
import { findInngestServer, type InngestServer, startInngestDevServer } from "./inngest-dev-server.ts";

/** The choice of broker: the local one, Inngest's dev server, or a running server at a URL. */
export type InngestChoice = "local" | "dev-server" | URL;

/**
 * Maximum expected delay of an event in the broker's queue, in milliseconds. Beyond it senders wait, and in the end the API
 * asks clients to send again later: a longer queue would not be faster, but delay every event. While senders wait, small
 * requests are coalesced into larger envelopes, which the worker stores faster.
 */
const MAX_DELAY_MS = 100;

/**
 * Starts the broker, or checks the running one.
 *
 * @throws StartError `INNGEST_UNAVAILABLE`
 */
export async function startInngest(options: {
  choice: InngestChoice;
  /** Keys of the local broker. */
  keys: InngestKeys | "none";
  database: Database;
  /** The database server; undefined for the embedded database. */
  server: ServerUrls | undefined;
  host: string;
  port: number;
  /** URL of the worker's functions. */
  appUrl: string;
  /** Registers the worker's functions with an Inngest other than the local broker. Default: the worker does so itself. */
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
  const { queue, close } = await openBrokerDatabase(options.database, options.server);
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
