import { readAllowedHosts } from "@synap/http";
import {
  ConfigurationError,
  type DatabaseConfiguration,
  databaseVariables,
  readVariables,
  variable,
} from "@synap/service";
import { z } from "zod";

const { text, port, whole, flag, httpUrl } = variable;

/** The environment variables of the worker. */
export const workerVariables = z.object({
  ...databaseVariables,
  SYNAP_WORKER_HOST: text.default("127.0.0.1"),
  SYNAP_WORKER_PORT: port.default(3401),
  SYNAP_WORKER_ALLOWED_HOSTS: text.optional(),
  INNGEST_SERVE_ORIGIN: httpUrl.optional(),
  SYNAP_INGEST_CONCURRENCY: whole(1, 1_000).default(4),
  SYNAP_RESIDENT_HANDLERS: flag.default(true),
});

/** The configuration of a worker, except for its database, catalogue and Inngest client. */
export interface WorkerConfiguration extends DatabaseConfiguration {
  /** Listening address (SYNAP_WORKER_HOST, default 127.0.0.1)... */
  readonly host: string;
  /** ...and the port (SYNAP_WORKER_PORT, default 3401; 0 for any free port). */
  readonly port: number;
  /**
   * Origin at which Inngest calls the worker, if it differs from the listening address (INNGEST_SERVE_ORIGIN, for example
   * `http://worker:3401`). If it is set, a worker in a separate process registers with this address.
   */
  readonly serveOrigin?: string;
  /**
   * Host names that requests may name in addition to its own and that of `serveOrigin` (SYNAP_WORKER_ALLOWED_HOSTS, separated
   * by commas; `*` allows any).
   */
  readonly allowedHosts?: readonly string[];
  /** Number of envelopes stored concurrently (SYNAP_INGEST_CONCURRENCY, default 4; always 2 when embedded). */
  readonly ingestConcurrency: number;
  /** True when this process runs the asynchronous handlers continuously (SYNAP_RESIDENT_HANDLERS, default true). */
  readonly residentHandlers: boolean;
}

/**
 * Reads the worker's configuration from environment variables. An empty variable counts as unset.
 *
 * @throws ConfigurationError
 */
export function readWorkerConfiguration(variables: NodeJS.ProcessEnv): WorkerConfiguration {
  const read = readVariables("worker", workerVariables, variables);
  if (isWildcard(read.SYNAP_WORKER_HOST) && read.INNGEST_SERVE_ORIGIN === undefined) {
    throw new ConfigurationError(
      `SYNAP_WORKER_HOST is ${read.SYNAP_WORKER_HOST}, which is not an address that Inngest can call. Set INNGEST_SERVE_ORIGIN ` +
        "to one that it can, for example http://worker:3401.",
    );
  }
  const allowedHosts = readAllowedHosts(read.SYNAP_WORKER_ALLOWED_HOSTS);
  return {
    host: read.SYNAP_WORKER_HOST,
    port: read.SYNAP_WORKER_PORT,
    ...(read.INNGEST_SERVE_ORIGIN === undefined ? {} : { serveOrigin: read.INNGEST_SERVE_ORIGIN }),
    ...(allowedHosts === undefined ? {} : { allowedHosts }),
    databaseConnections: read.SYNAP_DATABASE_CONNECTIONS,
    lockTimeoutMs: read.SYNAP_LOCK_TIMEOUT_MS,
    ingestConcurrency: read.SYNAP_INGEST_CONCURRENCY,
    residentHandlers: read.SYNAP_RESIDENT_HANDLERS,
  };
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::" || host === "[::]";
}
