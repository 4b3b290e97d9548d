import type { QueueSession } from "../queue/database.ts";
import { lockRun } from "../queue/runs.ts";
import { countPendingSteps, finishPendingStep, saveContinuation } from "../queue/steps.ts";
import type { StandIn } from "../stand-in.ts";

/**
 * Gives a waiting step its memo and, when it was the last of its group or part of a race, queues the call that shows
 * it to the function. Nothing happens when the run is over or the step is done already.
 *
 * The caller wakes the dispatcher once the transaction has been committed.
 */
export async function resolveStep(
  standIn: StandIn,
  transaction: QueueSession,
  step: { readonly runId: string; readonly stepId: string },
  memo: string,
  now: number,
): Promise<void> {
  if (!(await lockRun(transaction, step.runId))) return;
  const done = await finishPendingStep(transaction, step.runId, step.stepId, memo, now);
  if (done === undefined) return;
  if (done.race || (await countPendingSteps(transaction, step.runId)) === 0) {
    await saveContinuation(transaction, step.runId, standIn.begunJobs(), now);
  }
}
