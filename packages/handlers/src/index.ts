/**
 * The public API for applications: handlers, projections, deciders, read models and their errors. An
 * application imports them from `@synap/synap`, which adds its config and its engine.
 */

export {
  AggregateConflictError,
  CommandKeyReusedError,
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
export type { AggregateState } from "./aggregates/fold.ts";
export type { SnapshotPolicy } from "./aggregates/snapshot-keeper.ts";
export {
  createMemorySnapshotStore,
  createSnapshotStore,
  type Snapshot,
  type SnapshotStore,
} from "./aggregates/snapshots.ts";
export { type Composition, ModuleError } from "./compose-modules.ts";
export { createReaction, type Reaction } from "./create-reaction.ts";
export {
  DeadLetterNotFoundError,
  DeadLetterNotRetryableError,
  DeadLetterResolvedError,
} from "./dead-letters/dead-letter-errors.ts";
export type { RetriedDeadLetters, RetryFilter } from "./dead-letters/dead-letters.ts";
export type { DeadLetterOutcome } from "./dead-letters/open-dead-letter.ts";
export { derivedEventId } from "./derived-event-id.ts";
export {
  type AcceptedAppend,
  defineHandler,
  type EventsOf,
  type HandlerContext,
  type IEventHandler,
  type PurgedEvent,
} from "./handler/event-handler.ts";
export { RefusedReactionError } from "./handler/handler-context.ts";
export { InlineAppendError, InlineHandlerError, TransientHandlerError } from "./handler/handler-errors.ts";
export { EventVersionNewerError } from "./handler/readable-events.ts";
export { UnknownNameError } from "./known-names.ts";
export type { SynapModule } from "./module.ts";
export type { TableDifference } from "./projection-builds/compare-builds.ts";
export type { CutoverBounds, CutoverReport } from "./projection-builds/cutover.ts";
export type { BuildStatus, ProjectionStatus } from "./projection-builds/projection-status.ts";
export { type ActorOptions, Projections } from "./projection-builds/projections.ts";
export type { AsOf, ReadModelAsOf } from "./projections/as-of.ts";
export type { LogColumn, LogStatement } from "./projections/log-statement.ts";
export {
  defineBatchProjection,
  defineProjection,
  defineStatementProjection,
  type Projection,
  type ProjectionDefinition,
  type RowProjectionDefinition,
} from "./projections/projection.ts";
export type { ProjectionContext } from "./projections/projection-context.ts";
export {
  AsOfBusyError,
  AsOfTooLongError,
  AsOfUnavailableError,
  CutoverRefusedError,
  ProjectionChangedError,
  ProjectionConflictError,
  ProjectionDefinitionError,
  ProjectionNotFoundError,
} from "./projections/projection-errors.ts";
export {
  keyText,
  moment,
  type ReadTable,
  type RowOf,
  type RowOwner,
  readTable,
} from "./projections/read-table.ts";
export { type AuditEntry, type AuditFilter, auditLog } from "./read-models/audit-log.ts";
export { type ComplianceStatistics, complianceStats } from "./read-models/compliance-stats.ts";
export type { PastMoment } from "./read-models/past-moment.ts";
export { PositionNotReachedError } from "./read-models/position-watch.ts";
export {
  defineReadModel,
  type JsonSource,
  type PastBounds,
  type ReadModel,
  ReadModelDefinitionError,
  type ReadSession,
  type ResponseBounds,
  type Writer,
} from "./read-models/read-model.ts";
export {
  defineSink,
  type Sink,
  type SinkCheckpoint,
  type SinkConnection,
  type SinkDescription,
  type SinkFilter,
  type SinkGuarantee,
  type SinkOptions,
  type SinkOutcome,
  type SinkRange,
} from "./sinks/sink.ts";
export {
  SinkEpochError,
  SinkNotFoundError,
  SinkOutcomeError,
  SinkPositionError,
  SinkTimeoutError,
} from "./sinks/sink-errors.ts";
export { type SinkState, type SinkStatus, Sinks } from "./sinks/sinks.ts";
