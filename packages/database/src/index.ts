/**
 * The store: where events live, on the embedded engine or a TimescaleDB server, and everything that reads and writes
 * them. docs/store.md describes the tables and proves the guarantees.
 */

export { MAX_APPEND_EVENTS } from "./append-events.ts";
export type { AppendHook } from "./append-in-transaction.ts";
export type { AppendOutcome } from "./append-outcome.ts";
export { lockCheckpoint, readCheckpoint, saveCheckpoint } from "./checkpoints.ts";
export {
  DatabaseUnavailableError,
  DataDirectoryInUseError,
  isConflict,
  isDataError,
  isTransient,
  isUnavailable,
  sqlState,
} from "./database-errors.ts";
export {
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterInput,
  type DeadLetterStatus,
  listDeadLetters,
  recordDeadLetter,
} from "./dead-letters.ts";
export { InvalidCursorError } from "./event-cursor.ts";
export {
  type AppendOptions,
  createEventStore,
  type EventStore,
  type EventStoreOptions,
} from "./event-store.ts";
export type { DuplicateCandidate, FirstEvent } from "./find-duplicates.ts";
export { type MigrateOptions, type MigrationReport, migrate } from "./migrate.ts";
export {
  MigrationChangedError,
  MigrationFailedError,
  SchemaNewerError,
  TimescaledbMissingError,
} from "./migration-errors.ts";
export { type DatabaseOptions, openDatabase } from "./open-database.ts";
export { type EventFilter, type EventPage, MAX_PAGE_EVENTS, type PageRequest } from "./query-events.ts";
export type { ReadAllPage, ReadAllRequest } from "./read-all.ts";
export { schema } from "./schema/index.ts";
export type { ServerOptions } from "./server-database.ts";
export type {
  Database,
  DatabaseCapabilities,
  Engine,
  Orm,
  SqlParameter,
  SqlSession,
  Transaction,
} from "./sql-session.ts";
export { type HandlerStatistics, type StoreStatistics, storeStatistics } from "./store-statistics.ts";
