import { afterAll, beforeAll, describe } from "vitest";
import type { Database, Engine } from "../src/index.ts";
import { createTestDatabase, type TestDatabaseOptions, testEngines } from "./create-test-database.ts";
import type { TestDatabase } from "./test-database.ts";

/** Engine and database of a suite. Usable only inside tests and hooks, because the database is created before the first. */
export interface TestEngine {
  readonly engine: Engine;
  /** A migrated database of this suite, running as the application role. */
  readonly database: Database;
  /** The same database, with the means to reopen it and to open another connection. */
  readonly testDatabase: TestDatabase;
}

/**
 * Defines a suite that runs on the embedded engine, and on a server too when TEST_DATABASE_URL names one. Each has a database
 * that is copied from a prepared one (see CONTRIBUTING.md) and dropped afterwards.
 *
 * @example
 * describeOnEveryEngine("the event store", (engine) => {
 *   it("is empty at first", async () => {
 *     expect((await storeStatistics(engine.database)).events.stored).toBe(0);
 *   });
 * });
 */
export function describeOnEveryEngine(
  name: string,
  define: (engine: TestEngine) => void,
  options: TestDatabaseOptions = {},
): void {
  describe.each(testEngines())(`${name} (%s)`, (engine) => {
    let made: TestDatabase | undefined;
    const ready = (): TestDatabase => {
      if (made === undefined)
        throw new Error("The test database is made before the first test: use it inside one.");
      return made;
    };
    beforeAll(async () => {
      made = await createTestDatabase(engine, "migrated", options);
    });
    afterAll(async () => {
      await made?.drop();
    });
    define({
      engine,
      get database() {
        return ready().database;
      },
      get testDatabase() {
        return ready();
      },
    });
  });
}
