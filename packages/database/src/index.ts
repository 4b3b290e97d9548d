/**
 * The parts of the store that an application needs beside `createSynap`: a database to pass in, its own migrations, transactions
 * that it shares with appends, and the types and errors of their functions.
 */

export type {
  AppendedStreamEvent,
  StreamAppend,
  StreamAppendOptions,
  StreamAppendResult,
  StreamCheck,
  StreamEventInput,
  StreamsAppendOptions,
} from "./append/append-methods.ts";
export type { DuplicateCandidate, FirstEvent } from "./append/find-originals.ts";
export type { AppendOutcome } from "./append/judge-events.ts";
export {
  EventIdConflictError,
  OptimisticLockError,
  StreamClosedError,
  StreamLockedError,
  StreamNotFoundError,
} from "./append/stream-errors.ts";
export type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterPage,
  DeadLetterStatus,
} from "./bookkeeping/dead-letters.ts";
export {
  type DrizzleTransaction,
  type PostgresTransaction,
  transactionFromDrizzle,
  transactionFromPostgres,
} from "./connection/application-transaction.ts";
export {
  AppendContentionError,
  DatabaseUnavailableError,
  type DataDirectoryHolder,
  DataDirectoryInUseError,
  UnreadableValueError,
} from "./connection/database-errors.ts";
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
export { TransactionControlError, TransactionEndedError } from "./connection/transaction-control.ts";
export type { TransactionMode } from "./connection/transaction-mode.ts";
export type { AppendOptions, EventStore } from "./event-store.ts";
export { EventsArchivedError } from "./events-archived.ts";
export type { ApplicationMigrations } from "./migrations/ledgers.ts";
export { type MigrateOptions, type MigrationReport, migrate } from "./migrations/migrate.ts";
export {
  MigrationChangedError,
  MigrationFailedError,
  MigrationFileInvalidError,
  MigrationFolderMissingError,
  MigrationLedgerInvalidError,
  MigrationOutOfOrderError,
  PrivilegesMissingError,
  SchemaNewerError,
  SignatureChangedError,
  TimescaledbMissingError,
} from "./migrations/migration-errors.ts";
export type { ReportLogger } from "./observers.ts";
export { type DatabaseOptions, openDatabase } from "./open-database.ts";
export { type ErasureLedger, ledgerFile } from "./personal-data/erasure-ledger.ts";
export { keyFile } from "./personal-data/key-file.ts";
export {
  type KeyProvider,
  KeyProviderError,
  PersonalDataKeysMissingError,
  type WrappedKey,
} from "./personal-data/key-provider.ts";
export { type VaultOptions, vaultKeys } from "./personal-data/vault-keys.ts";
export { PositionLostError } from "./position-lost.ts";
export {
  type AscendingPages,
  ascendingPages,
  type DescendingPages,
  descendingPages,
  InvalidCursorError,
} from "./reading/cursors.ts";
export { type EventFilter, EventFilterError } from "./reading/event-filter.ts";
export { type EventPage, MAX_PAGE_EVENTS, type PageRequest } from "./reading/event-page.ts";
export { type BoundedRow, isPageCut, MAX_PAGE_BYTES, selectBoundedRows } from "./reading/page-bytes.ts";
export type { ReadAllPage, ReadAllRequest } from "./reading/read-all.ts";
export type { StreamInfo, StreamPage, StreamRead } from "./reading/read-stream.ts";
export { TypeRegistrationError } from "./registered-types/register-event-type.ts";
export { RegisteredSchemaError } from "./registered-types/schema-issue.ts";
export { RegisteredTypeConflictError } from "./registered-types/take-over.ts";
export type { EventReads, PageReader } from "./replica/event-reads.ts";
export type { PassedOnReason, Replica, ReplicaOptions, ReplicaUse } from "./replica/open-replica.ts";
export type { AtPoint, ReadPoint } from "./replica/read-point.ts";
export { ReplicaUrlError } from "./replica/replica-errors.ts";
export type { ReplicaState } from "./replica/replica-watch.ts";
export { DatabaseRefusedError, DatabaseUrlError } from "./server/database-url.ts";
export { DirectUrlError, DirectUrlMissingError } from "./server/pooler-errors.ts";
export type { ServerOptions } from "./server/server-database.ts";
export type { EventBatch, SubscriptionRequest } from "./subscriptions/subscription.ts";
export type { LogReader } from "./visibility/log-reader.ts";
export { type Visibility, VisibilityUnavailableError } from "./visibility/visibility.ts";
