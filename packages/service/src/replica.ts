import type { ReplicaOptions } from "@synap/database";
import type { DatabaseConfiguration } from "./configuration.ts";

/** Settings for reading from a replica of the database. */
export interface ReplicaConfiguration {
  /** Longest time that a read waits for the replica, in milliseconds (SYNAP_REPLICA_MAX_WAIT_MS, default 100)... */
  readonly replicaMaxWaitMs: number;
  /** ...and for which the replica may be behind before it is not used, in milliseconds (SYNAP_REPLICA_MAX_LAG_MS, default 5,000). */
  readonly replicaMaxLagMs: number;
}

/** Reads the options of the replica at DATABASE_REPLICA_URL. Undefined where there is none. An empty variable counts as unset. */
export function readReplica(
  { DATABASE_REPLICA_URL: url }: NodeJS.ProcessEnv,
  configuration: ReplicaConfiguration & DatabaseConfiguration,
): Omit<ReplicaOptions, "logger"> | undefined {
  if (!url) return undefined;
  const { databaseConnections, replicaMaxWaitMs, replicaMaxLagMs } = configuration;
  return { url, maxConnections: databaseConnections, maxWait: replicaMaxWaitMs, maxLag: replicaMaxLagMs };
}
