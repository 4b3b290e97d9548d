import { type DueJob, deleteJob } from "../queue/due-jobs.ts";
import { lockRun } from "../queue/runs.ts";
import { pendingStepOp } from "../queue/steps.ts";
import type { StandIn } from "../stand-in.ts";
import { resolveStep } from "./resolve-step.ts";

const INVOKE_TIMEOUT = {
  error: {
    error: "InngestInvokeTimeoutError: Timed out waiting for invoked function to complete",
    name: "InngestInvokeTimeoutError",
    message: "Timed out waiting for invoked function to complete",
  },
};

/** Ends the sleep or the wait whose time is up. A sleep and a wait for an event give null, an invocation an error. */
export async function ringTimer(standIn: StandIn, job: DueJob): Promise<void> {
  await standIn.database.transaction(async (transaction) => {
    const open = await lockRun(transaction, job.runId);
    const op = open ? await pendingStepOp(transaction, job.runId, job.stepId) : undefined;
    if (op === undefined) {
      await deleteJob(transaction, job.id);
      return;
    }
    const memo = op === "InvokeFunction" ? JSON.stringify(INVOKE_TIMEOUT) : "null";
    await resolveStep(standIn, transaction, job, memo, standIn.clock.now());
  });
  standIn.wake();
}
