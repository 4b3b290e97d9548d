/** For tests that need a database: a fresh, migrated one on every engine. */

export { describeOnEveryEngine, type TestEngine } from "./describe-on-every-engine.ts";
export { createTestDatabase, type TestDatabase, testEngines } from "./test-database.ts";
