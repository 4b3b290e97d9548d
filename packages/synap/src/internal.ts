/** The engine, for Synap's own processes. Applications use `createSynap`. */

export { defaultApplication } from "./config.ts";
export { EMBEDDED_FOLDER } from "./create-synap.ts";
export {
  composeEngine,
  type Engine,
  type EngineDatabase,
  type EngineOptions,
  hasPersonalData,
  type OpenEngineOptions,
  type OpenedEngine,
  openEngine,
  type ServedAggregate,
} from "./engine.ts";
export { CONFIG_FILES } from "./load-config.ts";
