import type { Broker } from "../broker.ts";
import { type DueJob, deleteJob } from "../queue/due-jobs.ts";
import { lockRun, updateRunProgress } from "../queue/runs.ts";
import {
  countPendingSteps,
  saveContinuation,
  saveDoneSteps,
  saveJobs,
  savePendingSteps,
} from "../queue/steps.ts";
import type { OperationsPlan } from "./plan-operations.ts";

/** Delay of the next call after a response without operations, which means "nothing new". */
const NEXT_CALL_DELAY_MS = 1_000;

/**
 * Saves the operations of a response in one transaction: memos, planned steps with their calls and timers, and the next
 * call of the function when no step is pending. Deletes the answered job, unless a step of it is to be retried.
 */
export async function saveOperations(
  broker: Broker,
  job: DueJob,
  plan: OperationsPlan,
  response: { readonly operations: number; readonly startedAt: number },
): Promise<void> {
  const now = broker.clock.now();
  // More than one operation means parallel steps: from then on the function plans its steps before running them,
  // until a later call returns a single one.
  const planSteps = job.stepId === "step" ? response.operations > 1 : job.planSteps;
  const jobs = await broker.database.transaction(async (transaction) => {
    if (!(await lockRun(transaction, job.runId))) {
      await deleteJob(transaction, job.id);
      return undefined;
    }
    const fresh = await savePendingSteps(transaction, job.runId, plan.pending, now);
    const race = await saveDoneSteps(transaction, job.runId, plan.done, now);
    const jobs = plan.pending.flatMap((step) => (fresh.has(step.id) ? [step.job] : []));
    await saveJobs(transaction, job.runId, jobs);
    const attempt = plan.retry === undefined ? 0 : job.attempt;
    const progress = { id: job.runId, attempt, planSteps, startedAt: response.startedAt };
    await updateRunProgress(transaction, progress, plan.retry === undefined ? job.id : undefined);
    if (plan.retry === undefined) {
      if (race || (await countPendingSteps(transaction, job.runId)) === 0) {
        const dueAt = response.operations === 0 ? now + NEXT_CALL_DELAY_MS : now;
        await saveContinuation(transaction, job.runId, broker.runningJobs(), dueAt);
      }
    }
    return jobs;
  });
  if (jobs === undefined) return;
  for (const { dueAt } of jobs) broker.wake(dueAt);
  if (response.operations === 0) broker.wake(now + NEXT_CALL_DELAY_MS);
  broker.wake();
}
