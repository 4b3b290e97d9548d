import type { Engine } from "../src/index.ts";
import { createEmbeddedTestDatabase } from "./embedded-test-database.ts";
import { createServerTestDatabase } from "./server-test-database.ts";
import type { TestDatabase } from "./test-database.ts";

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
