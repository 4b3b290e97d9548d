import type { Broker } from "../broker.ts";
import { type EndingRun, finishRun } from "../lifecycle/end-run.ts";
import type { Ending } from "../lifecycle/lifecycle-events.ts";
import { isFailureHandler, restartFailureHandler } from "../lifecycle/restart-failure-handler.ts";
import { type RunError, readRunError } from "../lifecycle/run-error.ts";
import { type DueJob, postponeJob } from "../queue/due-jobs.ts";
import { saveDoneSteps } from "../queue/steps.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import { MAX_OUTPUT_BYTES } from "../steps/operation.ts";
import { planOperations } from "../steps/plan-operations.ts";
import { saveOperations } from "../steps/save-operations.ts";
import type { ParsedResponse } from "./read-response.ts";
import { retryDelay } from "./retry-delay.ts";

/** Stores the result of a call. Idempotent. */
export async function settleCall(
  broker: Broker,
  job: DueJob,
  config: FunctionConfig,
  response: ParsedResponse,
  startedAt: number,
): Promise<void> {
  const end = (ending: Ending) => finishRun(broker, endingRun(job, startedAt), ending);
  const fail = (error: RunError) =>
    isFailureHandler(job)
      ? restartFailureHandler(broker, job, error, startedAt)
      : end({ status: "failed", error });
  const lastAttempt = job.attempt + 1 >= config.maxAttempts;
  const retry = async (error: RunError, retryAfter: number | undefined) => {
    const dueAt = broker.clock.now() + (retryAfter ?? retryDelay(job.attempt, broker.retryDelays));
    await postponeJob(broker.database, job, {
      attempt: job.attempt + 1,
      dueAt,
      error: JSON.stringify(error),
      startedAt,
    });
    broker.wake(dueAt);
  };

  if (response.kind === "finished") return end({ status: "completed", output: response.output });
  if (response.kind === "error") {
    return response.final || lastAttempt ? fail(response.error) : retry(response.error, response.retryAfter);
  }

  const now = broker.clock.now();
  const final = response.final || lastAttempt;
  const plan = planOperations(response.operations, {
    config,
    final,
    clock: broker.clock,
  });
  if (plan.refusal !== undefined) return fail({ name: "Error", message: plan.refusal });
  if (plan.output !== undefined) {
    if (Buffer.byteLength(plan.output) > MAX_OUTPUT_BYTES) {
      return fail({
        name: "Error",
        message: `The function's output is larger than ${MAX_OUTPUT_BYTES} bytes`,
      });
    }
    await saveDoneSteps(broker.database, job.runId, plan.done, now);
    return end({ status: "completed", output: plan.output });
  }
  await saveOperations(broker, job, plan, { operations: response.operations.length, startedAt });
  if (isFailureHandler(job)) broker.kept.refreshSoon(broker);
  if (plan.retry !== undefined) await retry(readRunError(plan.retry, "The step failed"), response.retryAfter);
}

/** Describes, for `finishRun`, the run that a job ended. */
export function endingRun(job: DueJob, startedAt: number): EndingRun {
  return {
    id: job.runId,
    functionId: job.functionId,
    attempt: job.attempt,
    startedAt,
    eventId: job.eventId,
    quiet: job.quiet,
  };
}
