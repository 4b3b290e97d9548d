import { type DueJob, deleteJob } from "../queue/due-jobs.ts";
import { lockRun, updateRunProgress } from "../queue/runs.ts";
import {
  countPendingSteps,
  saveContinuation,
  saveDoneSteps,
  saveJobs,
  savePendingSteps,
} from "../queue/steps.ts";
import type { StandIn } from "../stand-in.ts";
import type { OperationsPlan } from "./plan-operations.ts";

/** An answer without any operation says "nothing new"; the function is then asked again after this long. */
const ASK_AGAIN = 1_000;

/**
 * Writes what an answer came to, in one transaction: memos, steps to come with their calls and timers, and the
 * next call of the function when nothing is left to wait for. The answered job is done with, unless a step of
 * it is to be tried again.
 */
export async function saveOperations(
  standIn: StandIn,
  job: DueJob,
  plan: OperationsPlan,
  answer: { readonly operations: number; readonly startedAt: number },
): Promise<void> {
  const now = standIn.clock.now();
  // More than one operation means parallel steps: from then on the function plans its steps instead of running them
  // at once, until a later call comes back with a single one.
  const planSteps = job.stepId === "step" ? answer.operations > 1 : job.planSteps;
  const jobs = await standIn.database.transaction(async (transaction) => {
    if (!(await lockRun(transaction, job.runId))) {
      await deleteJob(transaction, job.id);
      return undefined;
    }
    const fresh = await savePendingSteps(transaction, job.runId, plan.pending, now);
    const race = await saveDoneSteps(transaction, job.runId, plan.done, now);
    const jobs = plan.pending.flatMap((step) => (fresh.has(step.id) ? [step.job] : []));
    await saveJobs(transaction, job.runId, jobs);
    const attempt = plan.retry === undefined ? 0 : job.attempt;
    const progress = { id: job.runId, attempt, planSteps, startedAt: answer.startedAt };
    await updateRunProgress(transaction, progress, plan.retry === undefined ? job.id : undefined);
    if (plan.retry === undefined) {
      if (race || (await countPendingSteps(transaction, job.runId)) === 0) {
        const dueAt = answer.operations === 0 ? now + ASK_AGAIN : now;
        await saveContinuation(transaction, job.runId, standIn.runningJobs(), dueAt);
      }
    }
    return jobs;
  });
  if (jobs === undefined) return;
  for (const { dueAt } of jobs) standIn.wake(dueAt);
  if (answer.operations === 0) standIn.wake(now + ASK_AGAIN);
  standIn.wake();
}
