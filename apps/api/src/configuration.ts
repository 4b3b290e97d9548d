import { KEEP_ALIVE_MS, readAllowedHosts } from "@synap/http";
import {
  type DatabaseConfiguration,
  databaseVariables,
  type ReplicaConfiguration,
  readVariables,
  variable,
} from "@synap/service";
import { DEFAULT_MAX_DEPTH, MAX_ENVELOPE_BYTES } from "@synap/types/internal";
import { z } from "zod";
import { MIN_ENVELOPE_BYTES } from "./broker/envelopes.ts";
import { readOrigins } from "./http/cors.ts";
import {
  type IdentityConfiguration,
  identityVariables,
  readIdentity,
} from "./identity/identity-configuration.ts";
import { MIN_PAGES_BYTES } from "./page-budget.ts";
import type { RateLimitConfiguration } from "./rate-limits/principal-limits.ts";
import {
  type ProviderConfiguration,
  providerVariables,
  readProvider,
} from "./signing-in/provider-configuration.ts";

const MIB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

const { text, number, port, whole } = variable;

/** The environment variables of the API. */
export const apiVariables = z.object({
  ...databaseVariables,
  SYNAP_API_HOST: text.default("127.0.0.1"),
  SYNAP_API_PORT: port.default(3400),
  SYNAP_API_ALLOWED_HOSTS: text.optional(),
  SYNAP_CORS_ORIGINS: text.optional(),
  SYNAP_MAX_CONNECTIONS: whole(1, 1_000_000).default(1_000),
  SYNAP_HEADERS_TIMEOUT_MS: whole(100, 600_000).default(10_000),
  SYNAP_REQUEST_TIMEOUT_MS: whole(100, 3_600_000).default(60_000),
  SYNAP_KEEP_ALIVE_MS: whole(1, 600_000).default(KEEP_ALIVE_MS),
  SYNAP_SEND_TIMEOUT_MS: whole(100, 600_000).default(30_000),
  SYNAP_MAX_TAILS: whole(1, 100_000).default(50),
  SYNAP_MAX_TAILS_EACH: whole(1, 100_000).default(10),
  SYNAP_PAGES_MAX_BYTES: whole(MIN_PAGES_BYTES, 4096 * MIB).default(32 * MIB),
  SYNAP_PAGES_MAX_WAIT_MS: whole(1, 60_000).default(2_000),
  SYNAP_REPLICA_MAX_WAIT_MS: whole(0, 60_000).default(100),
  SYNAP_REPLICA_MAX_LAG_MS: whole(1_500, 3_600_000).default(5_000),
  SYNAP_MAX_BODY_BYTES: whole(1024, 256 * MIB).default(5 * MIB),
  SYNAP_MAX_BODY_VALUES: whole(1_000, 100_000_000).default(100_000),
  SYNAP_MAX_BATCH_EVENTS: whole(1, 100_000).default(5_000),
  SYNAP_MAX_DEPTH: whole(1, DEFAULT_MAX_DEPTH).default(DEFAULT_MAX_DEPTH),
  SYNAP_LATENESS_DAYS: number().positive().max(36_500).default(7),
  ...identityVariables,
  ...providerVariables,
  SYNAP_RATE_LIMIT_REQUESTS: whole(1, 1_000_000_000).optional(),
  SYNAP_RATE_LIMIT_EVENTS: whole(1, 1_000_000_000).optional(),
  SYNAP_ENVELOPE_MAX_BYTES: whole(MIN_ENVELOPE_BYTES, MAX_ENVELOPE_BYTES).default(MIN_ENVELOPE_BYTES),
  SYNAP_LINGER_MS: number().min(0).max(1_000).default(5),
  SYNAP_QUEUE_MAX_EVENTS: whole(1, 10_000_000).default(50_000),
  SYNAP_QUEUE_MAX_BYTES: whole(1024, 4096 * MIB).default(64 * MIB),
  SYNAP_QUEUE_MAX_WAIT_MS: whole(1, 60_000).default(500),
  SYNAP_PUBLISH_CONCURRENCY: whole(1, 256).default(4),
  SYNAP_PUBLISH_DEADLINE_MS: whole(100, 60_000).default(3_000),
});

/** The configuration of the API, except for its database, catalogue and Inngest client. */
export interface ApiConfiguration extends DatabaseConfiguration, ReplicaConfiguration {
  /** Listening address (SYNAP_API_HOST, default 127.0.0.1)... */
  readonly host: string;
  /** ...and the port (SYNAP_API_PORT, default 3400; 0 for any free port). */
  readonly port: number;
  /**
   * Additional host names that requests may name (SYNAP_API_ALLOWED_HOSTS, separated by commas; `*` allows any). Unset: none
   * if it listens on a loopback address, otherwise any.
   */
  readonly allowedHosts?: readonly string[];
  /** Origins whose pages may call the API from a browser (SYNAP_CORS_ORIGINS, separated by commas). Default: none. */
  readonly corsOrigins: readonly string[];
  readonly identity: IdentityConfiguration;
  /** The origin of the API as browsers know it (SYNAP_PUBLIC_URL). Default: what a request says. */
  readonly publicUrl?: string;
  /** The identity provider at which people sign in (SYNAP_OIDC_...). Undefined for none. */
  readonly provider?: ProviderConfiguration;
  readonly rateLimits: RateLimitConfiguration;
  /** Largest number of connections served at a time (SYNAP_MAX_CONNECTIONS, default 1,000). */
  readonly maxConnections: number;
  /** Time limit for the headers of a request, in milliseconds (SYNAP_HEADERS_TIMEOUT_MS, default 10,000)... */
  readonly headersTimeoutMs: number;
  /** ...and for the whole request (SYNAP_REQUEST_TIMEOUT_MS, default 60,000). */
  readonly requestTimeoutMs: number;
  /**
   * Time for which a connection is kept open between two requests, in milliseconds (SYNAP_KEEP_ALIVE_MS, default 65,000: longer
   * than the 60 s of most load balancers, so that the load balancer closes it first).
   */
  readonly keepAliveMs: number;
  /** Time after which a client that does not read its response is disconnected, in milliseconds (SYNAP_SEND_TIMEOUT_MS, default 30,000). */
  readonly sendTimeoutMs: number;
  /** Largest number of concurrent tails (SYNAP_MAX_TAILS, default 50). */
  readonly maxTails: number;
  /** Largest number of concurrent tails of one principal (SYNAP_MAX_TAILS_EACH, default 10). */
  readonly maxTailsEach: number;
  /** Byte budget for pages that are read and sent (SYNAP_PAGES_MAX_BYTES, default 32 MiB)... */
  readonly pagesMaxBytes: number;
  /** ...and the time limit for a request to wait for its share, in milliseconds (SYNAP_PAGES_MAX_WAIT_MS, default 2,000). */
  readonly pagesMaxWaitMs: number;
  /** Maximum size of a request's body in bytes (SYNAP_MAX_BODY_BYTES, default 5 MiB). */
  readonly maxBodyBytes: number;
  /** Maximum number of values in a JSON body, objects and arrays included (SYNAP_MAX_BODY_VALUES, default 100,000). */
  readonly maxBodyValues: number;
  /** Maximum number of events in a batch (SYNAP_MAX_BATCH_EVENTS, default 5,000). */
  readonly maxBatchEvents: number;
  /** Maximum nesting of an event's data (SYNAP_MAX_DEPTH, default 32, which is also the store's limit). */
  readonly maxDepth: number;
  /** Largest age of an event that is not a backfill, in milliseconds (SYNAP_LATENESS_DAYS, default 7 days). */
  readonly latenessMs: number;
  /**
   * Maximum size of an envelope as sent, in bytes (SYNAP_ENVELOPE_MAX_BYTES, at most 3 MiB). Default and minimum: 240 KiB plus
   * 513 bytes, so that the largest event fits uncompressed.
   */
  readonly envelopeMaxBytes: number;
  /** Linger: minimum batching delay of single events under load, in milliseconds (SYNAP_LINGER_MS, default 5). */
  readonly lingerMs: number;
  /** Largest number of events that wait for the broker (SYNAP_QUEUE_MAX_EVENTS, default 50,000)... */
  readonly queueMaxEvents: number;
  /** ...and of their bytes (SYNAP_QUEUE_MAX_BYTES, default 64 MiB). */
  readonly queueMaxBytes: number;
  /** ...and of the time that sending them would take at the present pace, in milliseconds (SYNAP_QUEUE_MAX_WAIT_MS, default 500). */
  readonly queueMaxWaitMs: number;
  /** Number of envelopes sent concurrently (SYNAP_PUBLISH_CONCURRENCY, default 4). */
  readonly publishConcurrency: number;
  /** Total time that a request waits for the broker, in milliseconds (SYNAP_PUBLISH_DEADLINE_MS, default 3,000). */
  readonly publishDeadlineMs: number;
}

/**
 * Reads the API's configuration from environment variables. An empty variable counts as unset.
 *
 * @throws ConfigurationError
 */
export function readApiConfiguration(variables: NodeJS.ProcessEnv): ApiConfiguration {
  const read = readVariables("API", apiVariables, variables);
  const identity = readIdentity(read, {
    host: read.SYNAP_API_HOST,
    isProduction: variables["NODE_ENV"] === "production",
  });
  const provider = readProvider(read, identity);
  const allowedHosts = readAllowedHosts(read.SYNAP_API_ALLOWED_HOSTS);
  return {
    host: read.SYNAP_API_HOST,
    port: read.SYNAP_API_PORT,
    ...(allowedHosts !== undefined && { allowedHosts }),
    corsOrigins: readOrigins("SYNAP_CORS_ORIGINS", read.SYNAP_CORS_ORIGINS),
    identity,
    ...(read.SYNAP_PUBLIC_URL !== undefined && { publicUrl: read.SYNAP_PUBLIC_URL }),
    ...(provider !== undefined && { provider }),
    rateLimits: { requests: read.SYNAP_RATE_LIMIT_REQUESTS, events: read.SYNAP_RATE_LIMIT_EVENTS },
    maxConnections: read.SYNAP_MAX_CONNECTIONS,
    headersTimeoutMs: read.SYNAP_HEADERS_TIMEOUT_MS,
    requestTimeoutMs: read.SYNAP_REQUEST_TIMEOUT_MS,
    keepAliveMs: read.SYNAP_KEEP_ALIVE_MS,
    sendTimeoutMs: read.SYNAP_SEND_TIMEOUT_MS,
    databaseConnections: read.SYNAP_DATABASE_CONNECTIONS,
    lockTimeoutMs: read.SYNAP_LOCK_TIMEOUT_MS,
    maxTails: read.SYNAP_MAX_TAILS,
    maxTailsEach: read.SYNAP_MAX_TAILS_EACH,
    pagesMaxBytes: read.SYNAP_PAGES_MAX_BYTES,
    pagesMaxWaitMs: read.SYNAP_PAGES_MAX_WAIT_MS,
    replicaMaxWaitMs: read.SYNAP_REPLICA_MAX_WAIT_MS,
    replicaMaxLagMs: read.SYNAP_REPLICA_MAX_LAG_MS,
    maxBodyBytes: read.SYNAP_MAX_BODY_BYTES,
    maxBodyValues: read.SYNAP_MAX_BODY_VALUES,
    maxBatchEvents: read.SYNAP_MAX_BATCH_EVENTS,
    maxDepth: read.SYNAP_MAX_DEPTH,
    latenessMs: read.SYNAP_LATENESS_DAYS * DAY_MS,
    envelopeMaxBytes: read.SYNAP_ENVELOPE_MAX_BYTES,
    lingerMs: read.SYNAP_LINGER_MS,
    queueMaxEvents: read.SYNAP_QUEUE_MAX_EVENTS,
    queueMaxBytes: read.SYNAP_QUEUE_MAX_BYTES,
    queueMaxWaitMs: read.SYNAP_QUEUE_MAX_WAIT_MS,
    publishConcurrency: read.SYNAP_PUBLISH_CONCURRENCY,
    publishDeadlineMs: read.SYNAP_PUBLISH_DEADLINE_MS,
  };
}
