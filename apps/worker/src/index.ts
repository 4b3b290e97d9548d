export { readWorkerConfiguration, type WorkerConfiguration, workerVariables } from "./configuration.ts";
export { keepRegistered } from "./register-functions.ts";
export { type RunningWorker, startWorker, type WorkerOptions } from "./server.ts";
