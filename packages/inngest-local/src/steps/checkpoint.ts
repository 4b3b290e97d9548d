import { z } from "zod";
import type { Broker } from "../broker.ts";
import { findTextFault } from "../queue/database.ts";
import { isRunOpen } from "../queue/runs.ts";
import { saveDoneSteps } from "../queue/steps.ts";
import { dataMemo, errorMemo, MAX_OUTPUT_BYTES, readOperations, stepName } from "./operation.ts";

const checkpointSchema = z.looseObject({ steps: z.array(z.unknown()) });

/** Result of a checkpoint. */
export type CheckpointOutcome =
  | { readonly saved: true }
  | {
      readonly saved: false;
      readonly reason: "unknown-run" | "not-a-step" | "too-large";
      readonly message: string;
    };

/**
 * Saves steps that a function finished during a call. A step that is already saved keeps its first memo.
 */
export async function saveCheckpoint(
  broker: Broker,
  runId: string,
  body: unknown,
): Promise<CheckpointOutcome> {
  const parsed = checkpointSchema.safeParse(body);
  if (!parsed.success) return refuse("not-a-step", "The body must be { steps: [...] }");
  const operations = readOperations(parsed.data.steps);
  if (typeof operations === "string") return refuse("not-a-step", `The steps are refused: ${operations}`);
  const other = operations.find(({ op }) => op !== "StepRun" && op !== "Step" && op !== "StepFailed");
  if (other !== undefined) return refuse("not-a-step", `The operation ${other.op} can't be checkpointed`);
  const steps = operations.map((operation) => ({
    id: operation.id,
    op: operation.op,
    name: stepName(operation),
    memo: operation.op === "StepFailed" ? errorMemo(operation) : dataMemo(operation),
  }));
  const large = steps.find(({ memo }) => Buffer.byteLength(memo) > MAX_OUTPUT_BYTES);
  if (large !== undefined) return refuse("too-large", `The output of step "${large.name}" is too large`);
  if (findTextFault(runId) !== undefined || !(await isRunOpen(broker.database, runId)))
    return refuse("unknown-run", `The run ${runId} is not open`);
  await saveDoneSteps(broker.database, runId, steps, broker.clock.now());
  return { saved: true };
}

function refuse(reason: "unknown-run" | "not-a-step" | "too-large", message: string): CheckpointOutcome {
  return { saved: false, reason, message };
}
