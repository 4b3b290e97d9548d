/** Public API of an application: its config, its engine, and the functions that define its parts. */

export { seededDomain } from "@synap/domain";
export {
  CommandRefusedError,
  defineBatchProjection,
  defineDecider,
  defineHandler,
  defineProjection,
  defineReadModel,
  defineStatementProjection,
  derivedEventId,
  type HandlerContext,
  keyText,
  ModuleError,
  moment,
  RefusedReactionError,
  readTable,
  type SynapModule,
  TransientHandlerError,
} from "@synap/handlers";
export {
  createSynapEvent,
  defineEventType,
  type StoredEvent,
  type StoredEventOf,
  type SynapEvent,
} from "@synap/types";
export {
  defaultApplication,
  defineConfig,
  type SynapApplication,
  type SynapConfig,
} from "./config.ts";
export { createSynap, type StoredAt, type Synap, type SynapOptions } from "./create-synap.ts";
export {
  CONFIG_FILES,
  ConfigFileError,
  type ConfigPlace,
  type LoadedConfig,
  loadConfig,
} from "./load-config.ts";
