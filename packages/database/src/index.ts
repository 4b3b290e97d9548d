/**
 * The store: where events live, on the embedded engine or a TimescaleDB server, and everything that reads and writes
 * them. docs/insides/store.md describes the tables and proves the guarantees.
 */

export type { AppendHook } from "./append/append-events.ts";
export { MAX_APPEND_EVENTS } from "./append/append-new-events.ts";
export type { AppendOutcome } from "./append/append-outcome.ts";
export { findInTransit } from "./append/find-in-transit.ts";
export {
  type DuplicateCandidate,
  type FirstEvent,
  type RepeatedEvent,
  repeatedEvents,
} from "./append/find-originals.ts";
export type {
  AppendedStreamEvent,
  StreamAppend,
  StreamAppendOptions,
  StreamAppendResult,
  StreamCheck,
  StreamsAppendOptions,
} from "./append/prepare-append.ts";
export { lockCheckpoint, readCheckpoint, saveCheckpoint } from "./bookkeeping/checkpoints.ts";
export { type DeadLetterBacklog, deadLetterBacklog } from "./bookkeeping/dead-letter-backlog.ts";
export {
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterInput,
  type DeadLetterPage,
  type DeadLetterStatus,
  type DeadLetterStream,
  listDeadLetters,
  pageDeadLetters,
  recordDeadLetter,
  setAside,
} from "./bookkeeping/dead-letters.ts";
export { areFunctionsRegistered, recordFunctionRegistration } from "./bookkeeping/function-registrations.ts";
export type { HandlerRetry } from "./bookkeeping/handler-retries.ts";
export { type LetterCounts, letterCounts } from "./bookkeeping/letter-counts.ts";
export { type LockHolder, lockHolders } from "./bookkeeping/lock-holders.ts";
export {
  type HandlerStatistics,
  type StoreStatistics,
  storeStatistics,
} from "./bookkeeping/store-statistics.ts";
export {
  addUnhandledFailures,
  type FailureCount,
  type UnhandledFailure,
  unhandledFailures,
} from "./bookkeeping/unhandled-failures.ts";
export { NotWritableError, probeWrite } from "./bookkeeping/write-probe.ts";
export {
  type CompressedChunk,
  type CompressionRequest,
  CompressionUnavailableError,
  compressEvents,
} from "./compression/compress-events.ts";
export {
  type DrizzleTransaction,
  transactionFromDrizzle,
  transactionFromPostgres,
} from "./connection/application-transaction.ts";
export { type DataDirectoryImage, readDataDirectoryImage } from "./connection/data-directory-image.ts";
export {
  type DataDirectoryLock,
  lockDataDirectory,
  refuseHeldDirectory,
} from "./connection/data-directory-lock.ts";
export {
  DatabaseUnavailableError,
  type DataDirectoryHolder,
  DataDirectoryInUseError,
  isConflict,
  isDataError,
  isLockTimeout,
  isTimeLimit,
  isTransient,
  isUnavailable,
  sqlState,
  UnreadableValueError,
} from "./connection/database-errors.ts";
export { DatabaseRefusedError, DatabaseUrlError } from "./connection/database-url.ts";
export { epochMs, isoFromEpoch } from "./connection/moments.ts";
export { type DatabaseOptions, openDatabase } from "./connection/open-database.ts";
export type { ServerOptions } from "./connection/server-database.ts";
export { UnstorableTextError } from "./connection/sql-parameters.ts";
export type {
  ConnectionUse,
  Database,
  DatabaseCapabilities,
  Engine,
  Orm,
  Sessions,
  SqlParameter,
  SqlSession,
  Transaction,
} from "./connection/sql-session.ts";
export type { AppendOptions, EventStore } from "./event-store.ts";
export { createMemoryEventStore, type MemoryEventStoreOptions } from "./memory/memory-event-store.ts";
export type { ApplicationMigrations } from "./migrations/ledgers.ts";
export {
  type MigrateOptions,
  type MigrationReport,
  migrate,
} from "./migrations/migrate.ts";
export {
  MigrationChangedError,
  MigrationFailedError,
  MigrationFileInvalidError,
  MigrationLedgerInvalidError,
  MigrationOutOfOrderError,
  PrivilegesMissingError,
  SchemaNewerError,
  SignatureChangedError,
  TimescaledbMissingError,
} from "./migrations/migration-errors.ts";
export { isOwnMigration, type PendingMigration, pendingMigrations } from "./migrations/pending-migrations.ts";
export { guardedLogger, notify, type ReportLogger } from "./observers.ts";
export { createEventStore, type EventStoreOptions } from "./postgres-event-store.ts";
export type { CatalogueDifference } from "./presence/catalogue-fingerprint.ts";
export {
  describeDifference,
  type ProcessPresence,
  startPresence,
} from "./presence/process-presence.ts";
export type { ProcessRole, RunningProcess } from "./presence/running-processes.ts";
export {
  createExposureWatch,
  describeExposures,
  type Exposure,
  findExposures,
} from "./privileges/exposures.ts";
export { HARDENING_STATEMENT } from "./privileges/hardening.ts";
export {
  describeSharedResource,
  lowSharedResources,
  type SharedResource,
  type SuspectedSession,
} from "./privileges/shared-resources.ts";
export { InvalidCursorError } from "./reading/event-cursor.ts";
export {
  type EventFilter,
  type EventPage,
  MAX_PAGE_EVENTS,
  type PageRequest,
} from "./reading/event-page.ts";
export { isPageCut, MAX_PAGE_BYTES, type RowWithin, selectWithin } from "./reading/page-bytes.ts";
export {
  MAX_READ_EVENTS,
  type NextAppends,
  type ReadAllPage,
  type ReadAllRequest,
  readNextAppends,
} from "./reading/read-all.ts";
export { type CommittedRequest, readCommitted, readCommittedPositions } from "./reading/read-committed.ts";
export { schema } from "./schema/index.ts";
export { type PublishEventTypesOptions, publishEventTypes } from "./sql-door/publish-event-types.ts";
export type { StreamInfo, StreamPage, StreamRead } from "./streams/read-stream.ts";
export {
  EventIdConflictError,
  OptimisticLockError,
  StreamClosedError,
  StreamLockedError,
  StreamNotFoundError,
} from "./streams/stream-errors.ts";
export type { ExpectedVersion, StreamEventInput, StreamName } from "./streams/stream-name.ts";
export { type ForeignLocks, foreignLocks } from "./subscriptions/foreign-locks.ts";
export { ReadTurns } from "./subscriptions/read-turns.ts";
export type { EventBatch, SubscriptionRequest } from "./subscriptions/subscription.ts";
export { type WatermarkHolder, watermarkHolder } from "./subscriptions/watermark-holder.ts";
export { type OpeningPatience, waitForDatabase } from "./wait-for-database.ts";
