import type { Engine } from "../src/index.ts";
import { createDirectoryTestDatabase, createMemoryTestDatabase } from "./embedded-test-database.ts";
import { createServerTestDatabase } from "./server-test-database.ts";
import type { DatabaseContent, TestDatabase } from "./test-database.ts";

/**
 * Returns the engines to test: embedded always, a server when TEST_DATABASE_URL names one. With TEST_POOLER_URL, a pooler before that
 * server, only the server, through the pooler.
 */
export function testEngines(): Engine[] {
  if (poolerUrl() !== undefined) return ["server"];
  return serverUrl() === undefined ? ["embedded"] : ["embedded", "server"];
}

/** Options of a test database. */
export interface TestDatabaseOptions {
  /**
   * Gives the embedded engine a data directory, which can be reopened, also by other processes. Default: in memory, which
   * takes a third of the time.
   */
  readonly onDisk?: boolean;
}

/** Creates a migrated or empty database. Drop it after the test. */
export async function createTestDatabase(
  engine: Engine,
  content: DatabaseContent = "migrated",
  { onDisk = false }: TestDatabaseOptions = {},
): Promise<TestDatabase> {
  if (engine === "embedded") {
    return onDisk ? createDirectoryTestDatabase(content) : createMemoryTestDatabase(content);
  }
  const url = serverUrl();
  if (url === undefined) throw new Error("TEST_DATABASE_URL is not set.");
  return createServerTestDatabase(url, content, poolerUrl());
}

function serverUrl(): string | undefined {
  return process.env["TEST_DATABASE_URL"] || undefined;
}

function poolerUrl(): string | undefined {
  return process.env["TEST_POOLER_URL"] || undefined;
}
