import { z } from "zod";
import { findTextFault } from "../queue/database.ts";

const operationSchema = z.looseObject({
  op: z.string(),
  id: z.string().min(1),
  name: z.string().nullish(),
  displayName: z.string().nullish(),
  opts: z.record(z.string(), z.unknown()).nullish(),
  data: z.unknown().optional(),
  error: z.unknown().optional(),
});

/** A step operation in an app's response. `id` is the hash of the step's id. */
export type Operation = z.infer<typeof operationSchema>;

const operationsSchema = z.array(operationSchema).max(1_000);

/** Maximum size of the output of a step or function, in bytes of its JSON text. */
export const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Parses the operations of a response. @returns an error message when they are invalid */
export function readOperations(raw: unknown): Operation[] | string {
  const parsed = operationsSchema.safeParse(raw);
  if (!parsed.success) return "not a list of at most 1,000 operations";
  for (const [index, operation] of parsed.data.entries()) {
    const problem = textProblem(operation) ?? textProblem(operation.opts ?? {}, "opts.");
    if (problem !== undefined) return `operation ${index + 1}: ${problem}`;
  }
  return parsed.data;
}

/** Finds a text that can't be stored in a text column. The output of a step is exempt, because it is stored as JSON. */
function textProblem(fields: Readonly<Record<string, unknown>>, under = ""): string | undefined {
  for (const [field, value] of Object.entries(fields)) {
    const fault = typeof value === "string" && field !== "data" ? findTextFault(value) : undefined;
    if (fault !== undefined) return `${under}${field} must not contain ${fault}`;
  }
  return undefined;
}

/** Display name of a step. */
export function stepName(operation: Operation): string {
  return operation.displayName ?? operation.name ?? operation.id;
}

/** Memo of a completed step: `{"data": …}`. */
export function dataMemo(operation: Operation): string {
  return `{"data":${JSON.stringify(operation.data ?? null)}}`;
}

/** Memo of a step that failed in all its attempts: `{"error": …}`. */
export function errorMemo(operation: Operation): string {
  return JSON.stringify({ error: operation.error ?? { name: "Error", message: "The step failed" } });
}
