import type { DueJob } from "../queue/due-jobs.ts";
import { restartRun } from "../queue/runs.ts";
import type { StandIn } from "../stand-in.ts";
import { FUNCTION_FAILED } from "./lifecycle-events.ts";
import type { RunError } from "./run-error.ts";

/**
 * Whether a run is that of a failure handler. Nothing listens to its own failure, and it may hold the last copy of an
 * event, so it never ends as failed.
 */
export function isFailureHandler(job: Pick<DueJob, "eventName">): boolean {
  return job.eventName === FUNCTION_FAILED;
}

/** Restarts a run that failed for good after a while, with all its attempts and none of its steps. */
export async function beginAnew(
  standIn: StandIn,
  job: DueJob,
  error: RunError,
  startedAt: number,
): Promise<void> {
  const dueAt = standIn.clock.now() + standIn.failureHandlerDelay;
  await restartRun(standIn.database, job, { dueAt, error: JSON.stringify(error), startedAt });
  standIn.logger.error(
    { run: job.runId, functionId: job.functionId, reason: error.message },
    "a failure handler failed in all its attempts; it keeps its event and begins anew",
  );
  standIn.wake(dueAt);
  standIn.kept.lookSoon(standIn);
}
