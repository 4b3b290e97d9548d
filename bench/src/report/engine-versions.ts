import { median } from "@synap/cli/terminal/numbers.ts";
import { withoutPassword } from "@synap/cli/terminal/without-password.ts";
import type { Database } from "@synap/database";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import type { EngineVersions } from "./report.ts";

/** The server that was given can't be measured: not reached, no right to make databases, or no TimescaleDB. */
export class ServerUnusableError extends Error {
  readonly code = "SERVER_UNUSABLE";

  constructor(serverUrl: string, cause: unknown) {
    const reason =
      cause instanceof Error ? cause.message || String(Reflect.get(cause, "code")) : String(cause);
    super(
      `DATABASE_URL (${withoutPassword(serverUrl)}) can't be measured: ${reason}\n` +
        "It must be a TimescaleDB server and a login that may create databases. Without DATABASE_URL only the " +
        "embedded engine is measured.",
      { cause },
    );
    this.name = "ServerUnusableError";
  }
}

/**
 * Finds out what the engines are made of, by making a database on each: what is missing then shows in the first
 * seconds and not in the middle of a run.
 *
 * @throws ServerUnusableError
 */
export async function describeEngines(serverUrl: string | undefined): Promise<EngineVersions[]> {
  const embedded = await describeEngine(undefined);
  if (serverUrl === undefined) return [embedded];
  try {
    return [embedded, await describeEngine(serverUrl)];
  } catch (error) {
    throw new ServerUnusableError(serverUrl, error);
  }
}

async function describeEngine(serverUrl: string | undefined): Promise<EngineVersions> {
  const { database, remove } = await createTemporaryDatabase(serverUrl, "bench_engine");
  try {
    const { postgresVersion: postgresql, timescaledbVersion: timescaledb, edition } = database.capabilities;
    const commitWaitMs = serverUrl === undefined ? undefined : await measureCommitWait(database);
    return { engine: database.engine, postgresql, timescaledb, edition, commitWaitMs };
  } finally {
    await remove();
  }
}

const COMMITS = 100;

/**
 * Measures the time that a commit waits for the disk, in milliseconds: the difference between commits that wait and commits that
 * don't, which take turns. It bounds what one caller at a time can append, and is what pg_test_fsync measures on the server itself.
 */
async function measureCommitWait(database: Database): Promise<number> {
  const commit = async (synchronous: "on" | "off") => {
    const start = performance.now();
    await database.writes.query(
      "SELECT set_config('synchronous_commit', $1, true), pg_logical_emit_message(true, 'synap-bench', '')",
      [synchronous],
    );
    return performance.now() - start;
  };
  const waits: number[] = [];
  for (let number = 0; number < COMMITS; number += 1) {
    const without = await commit("off");
    waits.push((await commit("on")) - without);
  }
  return Math.max(0, median(waits));
}
