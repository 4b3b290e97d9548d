/** The public API for applications: config, engine, definitions of handlers and other parts, and errors. */

export {
  DatabaseUnavailableError,
  EventIdConflictError,
  OptimisticLockError,
  StreamClosedError,
  StreamLockedError,
  type Transaction,
} from "@synap/database";
export { seededDomain } from "@synap/domain";
export {
  CommandRefusedError,
  createReaction,
  type DecidedEventOf,
  defineBatchProjection,
  defineDecider,
  defineHandler,
  defineProjection,
  defineReadModel,
  defineStatementProjection,
  derivedEventId,
  type HandlerContext,
  InlineHandlerError,
  keyText,
  ModuleError,
  moment,
  RefusedReactionError,
  readTable,
  type SynapModule,
  TransientHandlerError,
} from "@synap/handlers";
export {
  defineEventType,
  EventValidationError,
  type ExpectedVersion,
  type PublishableEvent,
  type StoredEvent,
  type StoredEventIn,
  type StoredEventOf,
  type StreamName,
  type SynapEvent,
} from "@synap/types";
export { defineConfig, type SynapApplication, type SynapConfig, type TypesOf } from "./config.ts";
export {
  createSynap,
  type DeadLetters,
  type StoredAt,
  type Synap,
  type SynapOptions,
} from "./create-synap.ts";
export { ConfigFileError, type ConfigPlace, type LoadedConfig, loadConfig } from "./load-config.ts";
