import { didYouMean } from "@synap/types/internal";

/** Names of all settings of all processes and commands, which often share one environment. */
export const SETTINGS = [
  "SYNAP_ADMIN_TOKEN",
  "SYNAP_API_ALLOWED_HOSTS",
  "SYNAP_API_HOST",
  "SYNAP_API_PORT",
  "SYNAP_API_PUBLISH",
  "SYNAP_BACKFILL_TOKEN",
  "SYNAP_CONFIG",
  "SYNAP_DATABASE_CONNECTIONS",
  "SYNAP_DATA_DIR",
  "SYNAP_ENVELOPE_MAX_BYTES",
  "SYNAP_HEADERS_TIMEOUT_MS",
  "SYNAP_INGEST_CONCURRENCY",
  "SYNAP_KEEP_ALIVE_MS",
  "SYNAP_LATENESS_DAYS",
  "SYNAP_LINGER_MS",
  "SYNAP_LOCK_TIMEOUT_MS",
  "SYNAP_LOG_FORMAT",
  "SYNAP_MAX_BATCH_EVENTS",
  "SYNAP_MAX_BODY_BYTES",
  "SYNAP_MAX_BODY_VALUES",
  "SYNAP_MAX_CONNECTIONS",
  "SYNAP_MAX_DEPTH",
  "SYNAP_MAX_TAILS",
  "SYNAP_PAGES_MAX_BYTES",
  "SYNAP_PAGES_MAX_WAIT_MS",
  "SYNAP_PUBLISH_CONCURRENCY",
  "SYNAP_PUBLISH_DEADLINE_MS",
  "SYNAP_QUEUE_MAX_BYTES",
  "SYNAP_QUEUE_MAX_EVENTS",
  "SYNAP_QUEUE_MAX_WAIT_MS",
  "SYNAP_REQUEST_TIMEOUT_MS",
  "SYNAP_RESIDENT_HANDLERS",
  "SYNAP_SEND_TIMEOUT_MS",
  "SYNAP_URL",
  "SYNAP_WORKER_ALLOWED_HOSTS",
  "SYNAP_WORKER_HOST",
  "SYNAP_WORKER_PORT",
] as const;

/** Variables of this repository's tests and scripts, which the processes that they start inherit. */
export const DEVELOPMENT_VARIABLES = [
  "SYNAP_CHAOS_CLOCK",
  "SYNAP_CI_STEPS",
  "SYNAP_FUZZ_RUNS",
  "SYNAP_FUZZ_SEED",
  "SYNAP_PG_DATA",
  "SYNAP_PG_PORT",
  "SYNAP_PG_ROOT",
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
