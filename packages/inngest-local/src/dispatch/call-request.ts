import { ulid } from "ulid";
import type { DueJob } from "../queue/due-jobs.ts";
import { type FunctionConfig, uuidOf } from "../registration/function-config.ts";

/** HTTP request that calls a function. */
interface CallRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Builds the request that calls a function. The event's JSON text and the steps' memos are inserted as stored.
 *
 * @param event the JSON text of the run's event
 */
export function buildCallRequest(job: DueJob, config: FunctionConfig, event: string): CallRequest {
  const requestId = ulid();
  const url = new URL(config.url);
  url.searchParams.set("fnId", config.id);
  url.searchParams.set("stepId", job.stepId);
  const context = JSON.stringify({
    attempt: job.attempt,
    disable_immediate_execution: job.planSteps,
    env: "",
    fn_id: uuidOf(config.id),
    generation_id: job.attempt + 1,
    job_id: String(job.id),
    max_attempts: config.maxAttempts,
    qi_id: Buffer.from(`${job.id}::default`).toString("base64"),
    request_id: requestId,
    run_id: job.runId,
    stack: { current: job.steps.length, stack: job.steps.map(({ id }) => id) },
    step_id: job.stepId,
    use_api: false,
  });
  const steps = job.steps.map(({ id, memo }) => `${JSON.stringify(id)}:${memo}`).join(",");
  const body =
    `{"ctx":${context},"defers":{},"event":${event},"events":[${event}],` +
    `"steps":{${steps}},"use_api":false,"version":${job.requestVersion}}`;
  return {
    url: url.href,
    headers: {
      "content-type": "application/json",
      "user-agent": "Inngest",
      "x-run-id": job.runId,
      "x-request-id": requestId,
      "x-inngest-generation-id": String(job.attempt + 1),
      "x-inngest-job-id": String(job.id),
      "x-inngest-step-id": job.stepId,
      "x-inngest-req-version": String(job.requestVersion),
    },
    body,
  };
}
