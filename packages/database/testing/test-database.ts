import type { Database, DatabaseOptions, Engine } from "../src/index.ts";
import { createEmbeddedTestDatabase } from "./embedded-test-database.ts";
import { createServerTestDatabase } from "./server-test-database.ts";

/** A database that belongs to one test or suite. */
export interface TestDatabase {
  readonly engine: Engine;
  /** How it was opened. */
  readonly options: DatabaseOptions;
  /** Open. After `reopen`, another object. */
  readonly database: Database;
  /** Closes and opens it again, as after a restart of the application. */
  reopen(): Promise<Database>;
  /** Closes it and removes it. */
  drop(): Promise<void>;
}

/** The engines that can be tested here: embedded always, a server when TEST_DATABASE_URL names one. */
export function testEngines(): Engine[] {
  return serverUrl() === undefined ? ["embedded"] : ["embedded", "server"];
}

/** A fresh database: migrated, or entirely empty. Drop it when done. */
export async function createTestDatabase(
  engine: Engine,
  content: "migrated" | "empty" = "migrated",
): Promise<TestDatabase> {
  if (engine === "embedded") return createEmbeddedTestDatabase(content);
  const url = serverUrl();
  if (url === undefined) throw new Error("TEST_DATABASE_URL is not set.");
  return createServerTestDatabase(url, content);
}

function serverUrl(): string | undefined {
  const url = process.env["TEST_DATABASE_URL"];
  return url === undefined || url === "" ? undefined : url;
}
