/** For tests that need a database: a fresh, migrated one on every engine. */

export { AFTER_ALL, type ArchiveInMemory, archiveInto, keepUp, restoreFrom } from "./archived-chunks.ts";
export type { ContractOptions, ContractSkip } from "./contract/contract-tests.ts";
export { describeEventStore } from "./contract/describe-event-store.ts";
export { createTestDatabase, testEngines } from "./create-test-database.ts";
export { createTestStore, type TestStore } from "./create-test-store.ts";
export { describeOnEveryEngine, type TestEngine } from "./describe-on-every-engine.ts";
export { type HeldStream, HOLDER_NAME, holdStreams } from "./held-stream.ts";
export { postEvent } from "./post-event.ts";
export { directly, throughPooler, type WayToReplica } from "./replica-url.ts";
export { serverUrl, serverVariables, type TestDatabase } from "./test-database.ts";
export { startTransitServer, type TransitServer } from "./transit-server.ts";
