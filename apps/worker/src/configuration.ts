import { readAllowedHosts } from "@synap/http";
import { z } from "zod";

const text = z.string().trim().min(1);
const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.enum(["true", "false"], "must be true or false").transform((value) => value === "true");

const environment = z.object({
  SYNAP_WORKER_HOST: text.default("127.0.0.1"),
  SYNAP_WORKER_PORT: port.default(3401),
  SYNAP_WORKER_ALLOWED_HOSTS: text.optional(),
  INNGEST_SERVE_ORIGIN: z.url({ protocol: /^https?$/, error: "must be an http(s) URL" }).optional(),
  SYNAP_DATABASE_CONNECTIONS: z.coerce.number().int().min(1).max(1_000).default(10),
  SYNAP_LOCK_TIMEOUT_MS: z.coerce.number().int().min(0).max(600_000).default(5_000),
  SYNAP_INGEST_CONCURRENCY: z.coerce.number().int().min(1).max(1_000).default(4),
  SYNAP_RESIDENT_HANDLERS: flag.default(true),
});

/** What a worker needs to know beyond its database, catalogue and Inngest client. */
export interface WorkerConfiguration {
  /** Where it listens: the address (SYNAP_WORKER_HOST, default 127.0.0.1)... */
  readonly host: string;
  /** ...and the port (SYNAP_WORKER_PORT, default 3401; 0 takes a free one). */
  readonly port: number;
  /**
   * Under which origin Inngest reaches the worker, when that is not where it listens (INNGEST_SERVE_ORIGIN,
   * for example `http://worker:3401`). When it is set, a worker started by itself registers there with Inngest.
   */
  readonly serveOrigin?: string;
  /**
   * Host names under which it may be called besides its own and that of `serveOrigin` (SYNAP_WORKER_ALLOWED_HOSTS, separated
   * by commas; `*` allows any).
   */
  readonly allowedHosts?: readonly string[];
  /**
   * How many connections to a database server queries may use, those for reading and those for writing together
   * (SYNAP_DATABASE_CONNECTIONS, default 10).
   */
  readonly databaseConnections: number;
  /** How long a lock in the database is waited for, in milliseconds (SYNAP_LOCK_TIMEOUT_MS, default 5,000; 0: no limit). */
  readonly lockTimeoutMs: number;
  /** How many envelopes are stored at a time (SYNAP_INGEST_CONCURRENCY, default 4; always 2 when embedded). */
  readonly ingestConcurrency: number;
  /** Whether the asynchronous handlers run all the time in this process (SYNAP_RESIDENT_HANDLERS, default true). */
  readonly residentHandlers: boolean;
}

/** The environment does not make a configuration. The message names each variable and what is wrong with it. */
export class ConfigurationError extends Error {
  readonly code = "CONFIGURATION_INVALID";
  override readonly name = "ConfigurationError";
}

/**
 * Reads the worker's configuration from environment variables. An empty variable counts as unset.
 *
 * @throws ConfigurationError
 */
export function readWorkerConfiguration(variables: NodeJS.ProcessEnv): WorkerConfiguration {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new ConfigurationError(`The worker's configuration is not valid.\n${lines.join("\n")}`);
  }
  const read = parsed.data;
  if (isWildcard(read.SYNAP_WORKER_HOST) && read.INNGEST_SERVE_ORIGIN === undefined) {
    throw new ConfigurationError(
      `SYNAP_WORKER_HOST is ${read.SYNAP_WORKER_HOST}, which is no address that Inngest could call. Set INNGEST_SERVE_ORIGIN ` +
        "to the one it can, for example http://worker:3401.",
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
