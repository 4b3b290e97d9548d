/**
 * The store without an engine, its maintenance and monitoring: for Synap's own processes and for tests. Applications open
 * a store with `createSynap`, which attaches their inline handlers and projections.
 */

export type { AppendHook } from "./append/append-events.ts";
export { MAX_APPEND_EVENTS } from "./append/append-new-events.ts";
export { findInTransit, type RepeatedEvent, repeatedEvents } from "./append/find-originals.ts";
export { hasSameContent } from "./append/judge-events.ts";
export { ArchiveDamagedError, ArchiveOutdatedError, ArchiveStateError } from "./archive/archive-errors.ts";
export { archivedBlocks, BlockCheck } from "./archive/archived-blocks.ts";
export {
  type ArchivedChunk,
  type ArchivedEvents,
  type ArchivedFile,
  type ArchiveState,
  archivedChunks,
  archivedEvents,
} from "./archive/archived-chunk.ts";
export { dropArchivedChunk } from "./archive/drop-chunk.ts";
export { type DueChunk, dueChunks } from "./archive/due-chunks.ts";
export {
  digestRows,
  type EventColumn,
  type EventsDigest,
  type EventText,
  eventColumns,
  RunningDigest,
} from "./archive/event-rows.ts";
export {
  type ArchiveTarget,
  beginExport,
  type ChunkExport,
  exportChunk,
  markVerified,
  type VerifiedExport,
} from "./archive/export-chunk.ts";
export { type RestoreRequest, refuseDamaged, restoreChunk } from "./archive/restore-chunk.ts";
export { type Backoff, backoffDelay, defaultBackoff, pauseAfterConflict } from "./backoff.ts";
export { lockCheckpoint, readCheckpoint, saveCheckpoint } from "./bookkeeping/checkpoints.ts";
export { countEvents } from "./bookkeeping/count-events.ts";
export {
  type DeadLetterBacklog,
  type DeadLetterCounts,
  deadLetterBacklog,
  deadLetterCounts,
} from "./bookkeeping/dead-letter-counts.ts";
export {
  type DeadLetterInput,
  listDeadLetters,
  pageDeadLetters,
  recordDeadLetter,
} from "./bookkeeping/dead-letters.ts";
export { type EventStats, type EventStatsRequest, eventStats } from "./bookkeeping/event-stats.ts";
export { areFunctionsRegistered, recordFunctionRegistration } from "./bookkeeping/function-registrations.ts";
export type { HandlerRetry } from "./bookkeeping/handler-retries.ts";
export { type LockHolder, lockHolders } from "./bookkeeping/lock-holders.ts";
export { isRecordedName, listNames, type NamedThing } from "./bookkeeping/recorded-names.ts";
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
export type { ChainFault, ChainFaultKind, ChainHead } from "./chain/chain-fault.ts";
export { type ChainStatus, chainStatus } from "./chain/chain-status.ts";
export { extendChain } from "./chain/extend-chain.ts";
export { type MissingChunk, missingChunks } from "./chain/missing-chunks.ts";
export { type ChainCheck, type ChainReport, verifyChain } from "./chain/verify-chain.ts";
export {
  type CompressedChunk,
  type CompressionRequest,
  CompressionUnavailableError,
  compressEvents,
} from "./compression/compress-events.ts";
export { type ForeignPolicy, foreignPolicies } from "./compression/foreign-policies.ts";
export {
  isConflict,
  isDataError,
  isLockTimeout,
  isTimeLimit,
  isTransient,
  isUnavailable,
  sqlState,
} from "./connection/database-errors.ts";
export { epochMs, isoFromEpoch } from "./connection/moments.ts";
export { withOwnSettings } from "./connection/own-settings.ts";
export {
  MAX_SAMPLE,
  type StoredVersion,
  sampleEvents,
  storedTypeNames,
  storedVersions,
} from "./corpus/sample-events.ts";
export { type DataDirectoryImage, readDataDirectoryImage } from "./embedded/data-directory-image.ts";
export {
  type DataDirectoryLock,
  lockDataDirectory,
  refuseHeldDirectory,
} from "./embedded/data-directory-lock.ts";
export { applyLedger, continueErasures, type Erasure, eraseSubject } from "./erasure/erase-subject.ts";
export { NothingToEraseError, SubjectHeldError } from "./erasure/erasure-errors.ts";
export { type ExportedPage, exportSubject } from "./erasure/export-subject.ts";
export { rewrapKeys } from "./erasure/rewrap-keys.ts";
export { holdSubject, releaseSubject, subjectStatus } from "./erasure/subject-holds.ts";
export { unfinishedErasures } from "./erasure/unfinished-erasures.ts";
export {
  type ErasureFault,
  type ErasureReport,
  MAX_CANARIES,
  MIN_CANARY,
  verifyErasure,
} from "./erasure/verify-erasure.ts";
export {
  type ApiKey,
  type ApiKeyGrant,
  createApiKey,
  findApiKey,
  listApiKeys,
  recordApiKeyUse,
  revokeApiKey,
  type StoredApiKey,
} from "./identity/api-keys.ts";
export {
  createKeyToken,
  hashSecret,
  KEY_PREFIX,
  type KeyToken,
  readKeyToken,
  writeKeyToken,
} from "./identity/key-token.ts";
export {
  hasSeal,
  type LinkGrant,
  readSessionToken,
  type SessionGrant,
  type SessionToken,
  sealSession,
  writeSessionToken,
} from "./identity/session-token.ts";
export {
  type BegunSession,
  beginSession,
  endSession,
  findSession,
  listSessions,
  type NewSession,
  recordSessionUse,
  SESSION_HOURS,
  SESSION_IDLE_HOURS,
  type Session,
  type StoredSession,
} from "./identity/sessions.ts";
export {
  createSignInLink,
  findSignInLink,
  LINK_MINUTES,
  type NewSignInLink,
  type SignInLink,
  useSignInLink,
} from "./identity/sign-in-links.ts";
export { createMemoryEventStore, type MemoryEventStoreOptions } from "./memory/memory-event-store.ts";
export { isOwnMigration, type PendingMigration, pendingMigrations } from "./migrations/pending-migrations.ts";
export { guardedLogger, notify } from "./observers.ts";
export { makeKeyFile, ownKeyFile } from "./personal-data/key-file.ts";
export { createPersonalData, type PersonalData } from "./personal-data/personal-data.ts";
export { createSubjectKeys, type SubjectKeys } from "./personal-data/subject-keys.ts";
export { passingKeys } from "./personal-data/wrapping.ts";
export { createEventStore, type EventStoreOptions } from "./postgres-event-store.ts";
export { type CatalogueDifference, versionName } from "./presence/catalogue-fingerprint.ts";
export { describeDifference, type ProcessPresence, startPresence } from "./presence/process-presence.ts";
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
export { type PurgePlan, planPurge } from "./purge/plan-purge.ts";
export {
  continuePurge,
  NoPurgeToContinueError,
  type Purge,
  type PurgeRequest,
  PurgeUnfinishedError,
  purgeEvents,
} from "./purge/purge-events.ts";
export type { PurgeSelection } from "./purge/purge-selection.ts";
export { type UnfinishedPurges, unfinishedPurges } from "./purge/unfinished-purges.ts";
export { NARROWING_CONDITIONS, UNINDEXED_CONDITIONS } from "./reading/event-filter.ts";
export { MAX_READ_EVENTS, type NextAppends, readNextAppends } from "./reading/read-all.ts";
export { type CommittedRequest, readCommitted, readCommittedPositions } from "./reading/read-committed.ts";
export { readEventsAt } from "./reading/read-events-at.ts";
export { readTrace } from "./reading/read-trace.ts";
export {
  MAX_REGISTERED_TYPES,
  MAX_TYPE_VERSIONS,
  type Registration,
  type RegistrationOutcome,
  registerEventType,
} from "./registered-types/register-event-type.ts";
export type { TypeDescription } from "./registered-types/registered-definition.ts";
export { createRegisteredTypes } from "./registered-types/registered-types.ts";
export { MAX_SCHEMA_BYTES } from "./registered-types/schema-from-json.ts";
export type { SchemaIssue } from "./registered-types/schema-issue.ts";
export { createReplicaReads } from "./replica/event-reads.ts";
export { openReplica } from "./replica/open-replica.ts";
export { withOwnAppends } from "./replica/own-appends.ts";
export { checkPosition, raisePoint } from "./replica/read-point.ts";
export { type ChunkDigest, chunkDigests } from "./restore/chunk-digests.ts";
export { currentEpoch, declareRestored, type Epoch, noteVerified, readEpochs } from "./restore/epoch.ts";
export { createPositionCheck, type PositionCheck } from "./restore/position-check.ts";
export { type RestoredFault, type RestoredFaultKind, verifyTables } from "./restore/verify-tables.ts";
export {
  applyRetention,
  type ExpiredEvents,
  planRetention,
  type RemovedEvents,
  type RetentionRun,
} from "./retention/apply-retention.ts";
export {
  endRetentionPolicy,
  NoRetentionPolicyError,
  type RetentionPolicy,
  retentionPolicies,
  type SetRetentionPolicy,
  setRetentionPolicy,
  UnknownRetainedTypeError,
} from "./retention/retention-policies.ts";
export { schema } from "./schema/index.ts";
export { readDatabaseUrl } from "./server/database-url.ts";
export { type SyncEventTypesOptions, syncEventTypes } from "./sql-api/sync-event-types.ts";
export { type InlineConsumer, syncInlineConsumers } from "./sql-api/sync-inline-consumers.ts";
export { APPENDS_CHANNEL } from "./subscriptions/append-signal.ts";
export { type ForeignLocks, foreignLocks } from "./subscriptions/foreign-locks.ts";
export { ReadLimiter } from "./subscriptions/read-limiter.ts";
export { type WatermarkHolder, watermarkHolder } from "./subscriptions/watermark-holder.ts";
export { withTimeLimit } from "./time-limit.ts";
export { type LimitedAppends, limitedAppends, StreamTakenError } from "./visibility/limited-appends.ts";
export { PeriodTooLargeError, visibleEventStats } from "./visibility/own-event-stats.ts";
export { OWN_ROWS_SCHEMAS, ownRows, RowsNotOwnedError, type TableSession } from "./visibility/own-rows.ts";
export { readerSession } from "./visibility/reader-session.ts";
export { takenStreams } from "./visibility/taken-streams.ts";
export { isVisible } from "./visibility/visibility.ts";
export { type OpenRetryOptions, waitForDatabase } from "./wait-for-database.ts";
