import { type DueJob, deleteJob } from "../queue/due-jobs.ts";
import { lockRun } from "../queue/runs.ts";
import { countPendingSteps, finishPendingStep, saveContinuation } from "../queue/steps.ts";
import type { StandIn } from "../stand-in.ts";

/**
 * Ends the sleep whose time is up: gives the step its memo and, when it was the last of its group or part of a race, queues
 * the call that shows it to the function. Nothing more happens when the run is over or the step is done already.
 */
export async function ringTimer(standIn: StandIn, job: DueJob): Promise<void> {
  const now = standIn.clock.now();
  await standIn.database.transaction(async (transaction) => {
    const isOpen = await lockRun(transaction, job.runId);
    const done = isOpen
      ? await finishPendingStep(transaction, job.runId, job.stepId, "null", now)
      : undefined;
    if (done === undefined) return deleteJob(transaction, job.id);
    if (done.race || (await countPendingSteps(transaction, job.runId)) === 0) {
      await saveContinuation(transaction, job.runId, standIn.runningJobs(), now);
    }
  });
  standIn.wake();
}
