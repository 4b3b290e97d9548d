/** Everything that an application imports: its config, its engine, the functions that define its parts, and the errors it meets. */

export {
  DatabaseUnavailableError,
  EventIdConflictError,
  type ExpectedVersion,
  OptimisticLockError,
  StreamClosedError,
  StreamLockedError,
  type StreamName,
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
  type PublishableEvent,
  type StoredEvent,
  type StoredEventIn,
  type StoredEventOf,
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
