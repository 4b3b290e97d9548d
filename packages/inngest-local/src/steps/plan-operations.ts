import { ulid } from "ulid";
import type { DirectRun } from "../intake/plan-intake.ts";
import { FUNCTION_INVOKED, ownEvent } from "../lifecycle/lifecycle-events.ts";
import type { DueJob } from "../queue/due-jobs.ts";
import type { QueueClock } from "../queue/queue-clock.ts";
import type { DoneStep, NewJob, PendingStep } from "../queue/steps.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import type { FunctionRegistry } from "../registration/function-registry.ts";
import { parseMoment } from "../schedule/duration.ts";
import { dataMemo, errorMemo, MAX_OUTPUT_BYTES, type Operation, stepName } from "./operation.ts";

/** What an app's answer comes to. */
export interface OperationsPlan {
  readonly done: DoneStep[];
  readonly pending: (PendingStep & { readonly job?: NewJob; readonly invoked?: DirectRun })[];
  /** The function's return value as JSON text, when the run is complete. */
  output?: string;
  /** The error of a step that is to be tried again. */
  retry?: unknown;
  /** Why the run can't go on. */
  refusal?: string;
}

/** An invoked function that doesn't answer is given up after this long when the step names no timeout: a year. */
const LONGEST_WAIT = "52w";

/**
 * Decides what the operations of one answer lead to. Nothing is written.
 *
 * @param final whether a step that failed in this answer has no attempt left
 */
export function planOperations(
  operations: readonly Operation[],
  context: {
    job: DueJob;
    config: FunctionConfig;
    registry: FunctionRegistry;
    final: boolean;
    clock: QueueClock;
  },
): OperationsPlan {
  const plan: OperationsPlan = { done: [], pending: [] };
  for (const operation of operations) {
    const problem = planOperation(plan, operation, context);
    if (problem !== undefined) plan.refusal = `step "${stepName(operation)}": ${problem}`;
  }
  const tooLarge = plan.done.find(({ memo }) => Buffer.byteLength(memo) > MAX_OUTPUT_BYTES);
  if (tooLarge) plan.refusal = `step "${tooLarge.name}": its output is larger than ${MAX_OUTPUT_BYTES} bytes`;
  return plan;
}

/** @returns why the operation can't be carried out, or undefined */
function planOperation(
  plan: OperationsPlan,
  operation: Operation,
  { job, config, registry, final, clock }: Parameters<typeof planOperations>[1],
): string | undefined {
  const step = { id: operation.id, op: operation.op, name: stepName(operation) };
  const race = operation.opts?.["parallelMode"] === "race";
  const timer = (until: string): NewJob | undefined => {
    const dueAt = parseMoment(until, clock);
    return dueAt === undefined ? undefined : { functionId: "", stepId: operation.id, dueAt };
  };
  switch (operation.op) {
    case "RunComplete":
      plan.output = JSON.stringify(operation.data ?? null);
      return undefined;
    case "StepRun":
    case "Step":
      plan.done.push({ ...step, memo: dataMemo(operation) });
      return undefined;
    case "StepFailed":
      plan.done.push({ ...step, memo: errorMemo(operation) });
      return undefined;
    case "StepError":
      if (final) plan.done.push({ ...step, memo: errorMemo(operation) });
      else plan.retry = operation.error ?? { name: "Error", message: "The step failed" };
      return undefined;
    case "StepPlanned":
      plan.pending.push({
        ...step,
        race,
        job: { functionId: config.id, stepId: operation.id, dueAt: clock.now() },
      });
      return undefined;
    case "Sleep": {
      const wake = timer(operation.name ?? "");
      if (wake === undefined) return `can't sleep for "${operation.name}"`;
      plan.pending.push({ ...step, race, job: wake });
      return undefined;
    }
    case "WaitForEvent": {
      const timeout = timer(textOf(operation.opts?.["timeout"]) ?? LONGEST_WAIT);
      if (timeout === undefined) return "its timeout can't be read";
      const wait = { event: operation.name ?? "", expression: textOf(operation.opts?.["if"]) };
      plan.pending.push({ ...step, race, wait, job: timeout });
      return undefined;
    }
    case "InvokeFunction":
      return planInvocation(plan, operation, { ...step, race }, { job, registry, clock });
    default:
      return `the operation ${operation.op} is not supported by inngest-local; use the Inngest server for it`;
  }
}

function planInvocation(
  plan: OperationsPlan,
  operation: Operation,
  step: PendingStep,
  { job, registry, clock }: { job: DueJob; registry: FunctionRegistry; clock: QueueClock },
): string | undefined {
  const functionId = textOf(operation.opts?.["function_id"]) ?? "";
  const target = registry.get(functionId);
  if (target === undefined) {
    const error = { message: `could not find function with ID: ${functionId}`, name: "Error" };
    plan.done.push({ id: step.id, op: step.op, name: step.name, memo: JSON.stringify({ error }) });
    return undefined;
  }
  const expire = parseMoment(textOf(operation.opts?.["timeout"]) ?? LONGEST_WAIT, clock);
  if (expire === undefined) return "its timeout can't be read";
  const payload = operation.opts?.["payload"];
  const data = isRecord(payload) && isRecord(payload["data"]) ? payload["data"] : {};
  const own = {
    correlation_id: `${job.runId}.${step.id}`,
    expire,
    fn_id: functionId,
    gid: ulid(),
    name: step.name,
  };
  plan.pending.push({
    ...step,
    job: { functionId: "", stepId: step.id, dueAt: expire },
    invoked: {
      config: target,
      event: ownEvent(FUNCTION_INVOKED, undefined, { ...data, _inngest: own }),
      parent: { runId: job.runId, stepId: step.id },
    },
  });
  return undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
