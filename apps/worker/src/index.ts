export { readWorkerConfiguration, type WorkerConfiguration } from "./configuration.ts";
export { type RunningWorker, startWorker, type WorkerParts } from "./server.ts";
