import type { Engine } from "../src/index.ts";
import { createDirectoryTestDatabase, createMemoryTestDatabase } from "./embedded-test-database.ts";
import { createServerTestDatabase } from "./server-test-database.ts";
import type { DatabaseContent, TestDatabase } from "./test-database.ts";

/** The engines that can be tested here: embedded always, a server when TEST_DATABASE_URL names one. */
export function testEngines(): Engine[] {
  return serverUrl() === undefined ? ["embedded"] : ["embedded", "server"];
}

/** What a test may want of its database. */
export interface TestDatabaseOptions {
  /**
   * Give the embedded engine a data directory, which can be opened again and by others. Default: it runs in memory, which
   * takes a third of the time.
   */
  readonly onDisk?: boolean;
}

/** A fresh database: migrated, or entirely empty. Drop it when done. */
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
  return createServerTestDatabase(url, content);
}

function serverUrl(): string | undefined {
  const url = process.env["TEST_DATABASE_URL"];
  return url === undefined || url === "" ? undefined : url;
}
