import { serverUrl, type TestDatabase } from "./test-database.ts";

/** A way to a standby of the server at TEST_DATABASE_URL. */
export interface WayToReplica {
  readonly name: string;
  readonly isThere: boolean;
  /** The URL of a test database on the standby. */
  readonly url: (test: TestDatabase) => string;
}

/** Directly. */
export const directly: WayToReplica = wayTo("a replica", "TEST_REPLICA_URL");

/** Through PgBouncer in transaction mode. */
export const throughPooler: WayToReplica = wayTo("a replica behind a pooler", "TEST_REPLICA_POOLER_URL");

function wayTo(name: string, variable: string): WayToReplica {
  const server = process.env[variable] ?? "";
  const url = (test: TestDatabase) => {
    const own = new URL(server);
    own.pathname = new URL(serverUrl(test)).pathname;
    return own.href;
  };
  return { name, isThere: server !== "", url };
}
