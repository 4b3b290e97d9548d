import type { Broker } from "../broker.ts";
import { type DueJob, deleteJob } from "../queue/due-jobs.ts";
import { lockRun } from "../queue/runs.ts";
import { countPendingSteps, finishPendingStep, saveContinuation } from "../queue/steps.ts";

/**
 * Ends a sleep: saves the step's memo and, when it was the last of its group or part of a race, queues the function's next
 * call. When the run is over or the step is done, only the job is deleted.
 */
export async function endSleep(broker: Broker, job: DueJob): Promise<void> {
  const now = broker.clock.now();
  await broker.database.transaction(async (transaction) => {
    const isOpen = await lockRun(transaction, job.runId);
    const done = isOpen
      ? await finishPendingStep(transaction, job.runId, job.stepId, "null", now)
      : undefined;
    if (done === undefined) return deleteJob(transaction, job.id);
    if (done.race || (await countPendingSteps(transaction, job.runId)) === 0) {
      await saveContinuation(transaction, job.runId, broker.runningJobs(), now);
    }
  });
  broker.wake();
}
