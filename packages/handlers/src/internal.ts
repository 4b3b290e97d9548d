/**
 * The parts of the engine: dispatch, composition, dead letters, ingestion. For Synap's own processes and for tests; an
 * application uses them through `createSynap`.
 */

export { deciderFingerprint } from "./aggregates/fingerprint.ts";
export { MAX_KNOWN_EVENTS } from "./aggregates/known-events.ts";
export { type LatestByType, latestByType } from "./aggregates/latest-by-type.ts";
export { checksumOf } from "./aggregates/snapshots.ts";
export { checkDecider, composeModules, type NamedModule } from "./compose-modules.ts";
export { EngineDeadLetters } from "./dead-letters/dead-letters.ts";
export type { HandlerPass } from "./dispatch/handler-pass.ts";
export type { InlineFailurePolicy } from "./dispatch/inline-handlers.ts";
export { EventDispatcher, type EventDispatcherOptions } from "./engine/event-dispatcher.ts";
export { HandlerRunner, type HandlerRunnerOptions } from "./engine/handler-runner.ts";
export {
  type EnvelopeReading,
  InvalidEnvelopeError,
  openEnvelope,
  readEnvelope,
} from "./envelope/open-envelope.ts";
export { packEvents, summariseEvents } from "./envelope/pack-events.ts";
export { genericModule } from "./generic-module.ts";
export { handles, namesOf } from "./handler/event-handler.ts";
export { type RunningHandler, runningHandler } from "./handler/handler-call.ts";
export {
  DuplicateHandlerError,
  describeFailure,
  HandlerPassError,
  isTransientFailure,
  UnknownEventTypeError,
  UnknownHandlerError,
} from "./handler/handler-errors.ts";
export { HandlerRegistry } from "./handler/handler-registry.ts";
export { asError } from "./handler/thrown-error.ts";
export {
  type FailureLogger,
  surviveUnhandledFailures,
  type UnhandledFailureOptions,
  type UnhandledFailures,
} from "./handler/unhandled-failures.ts";
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
export { createKnownNames, type KnownNames } from "./known-names.ts";
export type {
  EventProcessing,
  EventProcessingReader,
  UnprocessedPage,
} from "./processing/event-processing.ts";
export { NothingToResolveError } from "./processing/processing-errors.ts";
export {
  type AnswerAtPosition,
  createModelPositions,
  type ModelPositions,
  type ModelRead,
} from "./read-models/model-positions.ts";
export { askedPast } from "./read-models/past-moment.ts";
export type { PastRead, PastReads } from "./read-models/past-reads.ts";
export { componentOf } from "./read-models/read-model.ts";
export { epochName } from "./sinks/check-checkpoint.ts";
export { asConsumer, DEFAULT_CALL_MS } from "./sinks/sink.ts";
