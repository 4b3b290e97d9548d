import type { QueueClock } from "../queue/queue-clock.ts";
import type { DoneStep, NewJob, PendingStep } from "../queue/steps.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import { parseDueTime } from "../schedule/duration.ts";
import { dataMemo, errorMemo, MAX_OUTPUT_BYTES, type Operation, stepName } from "./operation.ts";

/** Rows to write for an app's response. */
export interface OperationsPlan {
  readonly done: DoneStep[];
  readonly pending: (PendingStep & { readonly job: NewJob })[];
  /** The function's return value as JSON text, when the run is complete. */
  output?: string;
  /** Error of a step that is to be retried. */
  retry?: unknown;
  /** Reason for failing the run. */
  refusal?: string;
}

/**
 * Plans the rows for the operations of a response. Writes nothing.
 *
 * @param context.final true if a step that failed in this response has no attempt left
 */
export function planOperations(
  operations: readonly Operation[],
  context: {
    config: FunctionConfig;
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

/** @returns the reason why the operation is not supported, or undefined */
function planOperation(
  plan: OperationsPlan,
  operation: Operation,
  { config, final, clock }: Parameters<typeof planOperations>[1],
): string | undefined {
  const step = { id: operation.id, op: operation.op, name: stepName(operation) };
  const race = operation.opts?.["parallelMode"] === "race";
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
      const dueAt = parseDueTime(operation.name ?? "", clock);
      if (dueAt === undefined) return `can't sleep for "${operation.name}"`;
      plan.pending.push({ ...step, race, job: { functionId: "", stepId: operation.id, dueAt } });
      return undefined;
    }
    default:
      return `the operation ${operation.op} is not supported by inngest-local; use the Inngest server for it`;
  }
}
