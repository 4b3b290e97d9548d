export {
  AggregateConflictError,
  CommandRefusedError,
  DeciderDefinitionError,
  SnapshotSkippedError,
} from "./aggregates/aggregate-errors.ts";
export type { AggregateRegistration } from "./aggregates/aggregate-registration.ts";
export {
  type AggregateMoment,
  type AggregateRepository,
  type AggregateRepositoryOptions,
  type CommandContext,
  type CommandResult,
  createAggregateRepository,
} from "./aggregates/aggregate-repository.ts";
export type {
  AggregateCommand,
  CommandOf,
  DecidedEvent,
  DecidedEventOf,
  Decider,
} from "./aggregates/decider.ts";
export { defineDecider } from "./aggregates/define-decider.ts";
export { deciderFingerprint } from "./aggregates/fingerprint.ts";
export type { AggregateState } from "./aggregates/fold.ts";
export type { SnapshotPolicy } from "./aggregates/snapshot-keeper.ts";
export {
  checksumOf,
  createMemorySnapshotStore,
  createSnapshotStore,
  type Snapshot,
  type SnapshotStore,
} from "./aggregates/snapshots.ts";
export { type Composition, composeModules, ModuleError, type NamedModule } from "./compose-modules.ts";
export {
  DeadLetterNotFoundError,
  DeadLetterNotRetryableError,
  DeadLetterResolvedError,
} from "./dead-letters/dead-letter-errors.ts";
export {
  DeadLetterOffice,
  type RetriedLetters,
  type RetryFilter,
} from "./dead-letters/dead-letter-office.ts";
export type { DeadLetterOutcome } from "./dead-letters/open-letter.ts";
export { derivedEventId } from "./derived-event-id.ts";
export { type Backoff, backoffDelay, defaultBackoff } from "./dispatch/backoff.ts";
export { EventDispatcher, type EventDispatcherOptions } from "./dispatch/event-dispatcher.ts";
export {
  type AcceptedAppend,
  defineHandler,
  type EventsOf,
  type HandlerContext,
  handles,
  type IEventHandler,
} from "./dispatch/event-handler.ts";
export { type RunningHandler, runningHandler } from "./dispatch/handler-call.ts";
export {
  DuplicateHandlerError,
  describeFailure,
  HandlerPassError,
  InlineAppendError,
  InlineHandlerError,
  isTransientFailure,
  TransientHandlerError,
  UnknownEventTypeError,
  UnknownHandlerError,
} from "./dispatch/handler-errors.ts";
export { HandlerRegistry } from "./dispatch/handler-registry.ts";
export { HandlerRunner, type HandlerRunnerOptions } from "./dispatch/handler-runner.ts";
export type { InlineFailurePolicy } from "./dispatch/inline-handlers.ts";
export type { HandlerPass } from "./dispatch/log-follower.ts";
export { RefusedReactionError } from "./dispatch/refused-reaction-error.ts";
export { asError } from "./dispatch/thrown-error.ts";
export {
  type FailureLogger,
  surviveUnhandledFailures,
  type UnhandledFailureOptions,
  type UnhandledFailures,
} from "./dispatch/unhandled-failures.ts";
export { genericModule } from "./generic-module.ts";
export {
  type AcceptedOutcome,
  appendAcceptedEvents,
  INGEST_HANDLER,
  keepAccepted,
  keepRefusedEvents,
} from "./ingest/accepted-events.ts";
export { appendAroundLocks, type LockedOutcome } from "./ingest/append-around-locks.ts";
export {
  type InTransit,
  type KeptInBroker,
  type OperatingWarning,
  operatingWarnings,
} from "./ingest/operating-warnings.ts";
export type { SynapModule } from "./module.ts";
export type { AsOf, ReadModelAsOf } from "./projections/as-of.ts";
export type { TableDifference } from "./projections/compare-builds.ts";
export type { CutoverBounds, CutoverReport } from "./projections/cutover.ts";
export type { LogColumn, LogStatement } from "./projections/log-statement.ts";
export {
  defineBatchProjection,
  defineProjection,
  defineStatementProjection,
  type Projection,
  type ProjectionDefinition,
  type ReadTable,
  type RowProjectionDefinition,
} from "./projections/projection.ts";
export type { ProjectionContext } from "./projections/projection-context.ts";
export {
  CutoverRefusedError,
  ProjectionChangedError,
  ProjectionConflictError,
  ProjectionDefinitionError,
  ProjectionNotFoundError,
} from "./projections/projection-errors.ts";
export type { BuildStatus, ProjectionStatus } from "./projections/projection-status.ts";
export { type AskedBy, Projections } from "./projections/projections.ts";
export { keyText, moment, type RowOf, readTable } from "./projections/read-table.ts";
export { type AuditEntry, type AuditFilter, auditLog, auditLogProjection } from "./read-models/audit-log.ts";
export {
  type ComplianceStatistics,
  complianceStats,
  complianceStatsProjection,
} from "./read-models/compliance-stats.ts";
export {
  type AnswerBounds,
  componentOf,
  defineReadModel,
  type JsonSource,
  type ReadModel,
  ReadModelDefinitionError,
  type ReadSession,
} from "./read-models/read-model.ts";
export {
  areInOrder,
  beforeParameter,
  dayParameter,
  limitParameter,
  NOT_IN_ORDER,
  nameParameter,
} from "./read-models/read-model-parameters.ts";
