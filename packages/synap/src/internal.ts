/** What the processes of Synap itself need of the engine. Applications use `createSynap`. */

export {
  composeEngine,
  type Engine,
  type EngineDatabase,
  type EngineOptions,
  type OpenedEngine,
  openEngine,
  type ServedAggregate,
} from "./engine.ts";
