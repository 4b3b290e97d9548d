export {
  ConfigurationError,
  readWorkerConfiguration,
  type WorkerConfiguration,
} from "./configuration.ts";
export { formatRecord, openLogOutput } from "./logger.ts";
export { type RunningWorker, startWorker, type WorkerParts } from "./server.ts";
