import { didYouMean } from "@synap/types/internal";

/** Meanings of all settings of all processes and commands, which often share one environment. Times are in milliseconds. */
export const SETTING_MEANINGS = {
  SYNAP_API_ALLOWED_HOSTS:
    "additional host names that requests to the API may name, separated by commas; * allows any",
  SYNAP_API_HOST: "address on which the API listens",
  SYNAP_API_KEYS:
    "true if the API accepts API keys; the default outside of production, on a loopback address",
  SYNAP_API_PORT: "port of the API; 0 takes any free port",
  SYNAP_API_PUBLISH: "where docker-compose.yml publishes the port of the API",
  SYNAP_CONFIG: "the application's config",
  SYNAP_CORS_ORIGINS: "origins whose pages may call the API from a browser, separated by commas",
  SYNAP_DATABASE_CONNECTIONS: "maximum number of connections to a database server",
  SYNAP_DATA_DIR: "the data directory",
  SYNAP_ENVELOPE_MAX_BYTES: "maximum size of an envelope as sent to the broker, in bytes",
  SYNAP_ERASURE_LEDGER:
    "file of the subjects whose data was erased, outside of the database; the default is beside the key file",
  SYNAP_HEADERS_TIMEOUT_MS: "time limit for the headers of a request",
  SYNAP_INGEST_CONCURRENCY: "number of envelopes that the worker stores concurrently",
  SYNAP_JWT_AUDIENCE: "the audience that JWTs must be for",
  SYNAP_JWT_ISSUER: "the issuer of the JWTs that the API accepts",
  SYNAP_JWT_JWKS_URL:
    "address of the issuer's public keys; the default is what its configuration document says",
  SYNAP_JWT_ROLES: "kind and scopes by the role in a JWT, as JSON",
  SYNAP_JWT_ROLES_CLAIM: "the claim of a JWT with the roles",
  SYNAP_JWT_SECRET:
    "secret of JWTs that are signed with HS256, at least 32 characters; no other algorithm is accepted then",
  SYNAP_KEEP_ALIVE_MS: "time for which a connection is kept open between two requests",
  SYNAP_LATENESS_DAYS: "maximum age of an event that is not a backfill",
  SYNAP_LINGER_MS: "batching delay of single events under load",
  SYNAP_LOCAL_ACCESS:
    "false if requests of the API's own machine need a token too, as in production they always do",
  SYNAP_LOCK_TIMEOUT_MS: "maximum wait for a lock in the database; 0 is no limit",
  SYNAP_LOG_FORMAT: "format of the log of a separate process: json or pretty",
  SYNAP_MAX_BATCH_EVENTS: "maximum number of events in a batch",
  SYNAP_MAX_BODY_BYTES: "maximum size of a request's body",
  SYNAP_MAX_BODY_VALUES: "maximum number of values in a JSON body",
  SYNAP_MAX_CONNECTIONS: "maximum number of connections that the API serves at a time",
  SYNAP_MAX_DEPTH: "maximum nesting of an event's data",
  SYNAP_MAX_TAILS: "maximum number of concurrent tails",
  SYNAP_MAX_TAILS_EACH: "maximum number of concurrent tails of one principal",
  SYNAP_OIDC_CLIENT_ID: "the API as a client of the identity provider, at which people sign in then",
  SYNAP_OIDC_CLIENT_SECRET: "secret of that client; without it, it is a public client",
  SYNAP_OIDC_SCOPES: "scopes that the API asks the identity provider for, separated by spaces",
  SYNAP_PAGES_MAX_BYTES: "byte budget for pages that are read and sent at a time",
  SYNAP_PAGES_MAX_WAIT_MS: "maximum wait of a request for its share of that budget",
  SYNAP_PERSONAL_DATA_KEY_FILE: "file with the keys that wrap the keys of personal data",
  SYNAP_PUBLIC_URL: "the address of the API as browsers know it, such as https://events.example",
  SYNAP_PUBLISH_CONCURRENCY: "number of envelopes that are sent to the broker concurrently",
  SYNAP_PUBLISH_DEADLINE_MS: "maximum time that a request waits for the broker",
  SYNAP_QUEUE_MAX_BYTES: "maximum size of the events that wait for the broker",
  SYNAP_QUEUE_MAX_EVENTS: "maximum number of events that wait for the broker",
  SYNAP_QUEUE_MAX_WAIT_MS: "maximum time that sending the events that wait would take",
  SYNAP_RATE_LIMIT_EVENTS: "events that one principal may send to a process of the API in a minute",
  SYNAP_RATE_LIMIT_REQUESTS: "requests that one principal may send to a process of the API in a minute",
  SYNAP_REPLICA_MAX_LAG_MS: "time for which the replica may be behind before it is not used",
  SYNAP_REPLICA_MAX_WAIT_MS: "maximum wait of a read for the replica, before the primary answers it",
  SYNAP_REQUEST_TIMEOUT_MS: "time limit for a whole request",
  SYNAP_RESIDENT_HANDLERS: "true if the worker runs the asynchronous handlers continuously",
  SYNAP_SEND_TIMEOUT_MS: "time after which a client that does not read its response is disconnected",
  SYNAP_SESSION_SECRET:
    "a secret of at least 32 characters, the same in every API of one database; without it browsers can't sign in",
  SYNAP_TOKEN: "the API key, or another token, that a command sends",
  SYNAP_URL: "address of the API that a command calls",
  SYNAP_VAULT_KEY: "name of the transit key that wraps the keys of personal data; the default is synap",
  SYNAP_VAULT_MOUNT: "path of Vault's transit engine; the default is transit",
  SYNAP_VAULT_NAMESPACE: "the namespace of Vault",
  SYNAP_VAULT_TOKEN: "the token that Vault is called with",
  SYNAP_VAULT_URL: "address of Vault or OpenBao, whose transit engine wraps the keys of personal data",
  SYNAP_WORKER_ALLOWED_HOSTS:
    "additional host names that requests to the worker may name, separated by commas; * allows any",
  SYNAP_WORKER_HOST: "address on which the worker listens",
  SYNAP_WORKER_PORT: "port of the worker; 0 takes any free port",
} as const;

/** Names of all settings. */
export const SETTINGS: readonly string[] = Object.keys(SETTING_MEANINGS);

/** Variables of this repository's tests and scripts, which the processes that they start inherit. */
export const DEVELOPMENT_VARIABLES = [
  "SYNAP_CHAOS_CLOCK",
  "SYNAP_CHROMIUM",
  "SYNAP_CI_STEPS",
  "SYNAP_FUZZ_RUNS",
  "SYNAP_FUZZ_SEED",
  "SYNAP_PG_DATA",
  "SYNAP_PG_PORT",
  "SYNAP_PG_ROOT",
  "SYNAP_PG_STANDBY_OF",
  "SYNAP_PG_VERSION",
  "SYNAP_POOLER_PORT",
  "SYNAP_REDIS_PORT",
  "SYNAP_S3_PORT",
  "SYNAP_SEED",
  "SYNAP_SUITE",
] as const;

const known = new Set<string>([...SETTINGS, ...DEVELOPMENT_VARIABLES]);

/** Patterns of the variables that Kubernetes sets in every container for a service whose name starts with "synap". */
const OF_A_SERVICE = {
  name: /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/,
  value: /^(tcp|udp|sctp):/,
};

/**
 * Finds environment variables that look like settings of Synap and are none, and returns a warning for each. They don't
 * prevent a start, because an application may use the prefix for its own variables.
 */
export function describeUnknownSettings(variables: NodeJS.ProcessEnv): string[] {
  return Object.entries(variables)
    .filter(([name]) => name.startsWith("SYNAP_") && !known.has(name))
    .filter(([name, value = ""]) => !OF_A_SERVICE.name.test(name) && !OF_A_SERVICE.value.test(value))
    .map(([name]) => name)
    .sort()
    .map((name) => `${name} is set, but Synap has no setting of this name${didYouMean(name, SETTINGS)}.`);
}
