/** Parts shared by Synap's processes: log, configuration, signals, start and stop, readiness, metrics. */

export {
  ConfigurationError,
  type DatabaseConfiguration,
  databaseVariables,
  readVariables,
  variable,
} from "./configuration.ts";
export { describeUnknownSettings } from "./environment-names.ts";
export { EXIT, type ExitCode, ExitError, exitCodeOf, UsageError } from "./exit-codes.ts";
export { createInngestClient, type InngestClientOptions } from "./inngest-client.ts";
export { createCommandLogger, createLogger } from "./logger.ts";
export { EXPOSITION_CONTENT_TYPE, type Gauge, gauge, writeMetrics } from "./metrics/exposition-format.ts";
export { createProcessMetrics, type ProcessMetrics } from "./metrics/process-metrics.ts";
export { connectionGauges, storeGauges } from "./metrics/store-gauges.ts";
export { openApplication } from "./open-application.ts";
export { readErasureLedger, readPersonalDataKeys } from "./personal-data-keys.ts";
export { createFaultFinder, type ReadinessFindings, readinessResponse } from "./readiness/find-faults.ts";
export { NotReadyError, READINESS_FAULTS, type ReadinessFault } from "./readiness/not-ready-error.ts";
export {
  databaseCheck,
  migrationsCheck,
  type ReadinessCheck,
  writeCheck,
} from "./readiness/readiness-checks.ts";
export { type ReplicaConfiguration, readReplica } from "./replica.ts";
export { type ProcessStart, runProcess } from "./run-process.ts";
export { readServerUrls, type ServerUrls } from "./server-urls.ts";
export { abortOnSignal, endOnSignal, onStopSignal } from "./signals.ts";
