import type { Broker } from "../broker.ts";
import type { DueJob } from "../queue/due-jobs.ts";
import { restartRun } from "../queue/runs.ts";
import { FUNCTION_FAILED } from "./lifecycle-events.ts";
import type { RunError } from "./run-error.ts";

/**
 * Checks that a job belongs to the run of a failure handler. Such a run never ends as failed, because it may hold the last
 * copy of an event and nothing handles its own failure.
 */
export function isFailureHandler(job: Pick<DueJob, "eventName">): boolean {
  return job.eventName === FUNCTION_FAILED;
}

/** Restarts a failure handler after `failureHandlerDelay`, with all its attempts and without its steps. */
export async function restartFailureHandler(
  broker: Broker,
  job: DueJob,
  error: RunError,
  startedAt: number,
): Promise<void> {
  const dueAt = broker.clock.now() + broker.failureHandlerDelay;
  await restartRun(broker.database, job, { dueAt, error: JSON.stringify(error), startedAt });
  broker.logger.error(
    { run: job.runId, functionId: job.functionId, reason: error.message },
    "a failure handler failed in all its attempts; it keeps its event and will be restarted",
  );
  broker.wake(dueAt);
  broker.kept.refreshSoon(broker);
}
