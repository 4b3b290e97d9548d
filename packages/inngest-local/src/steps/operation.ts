import { z } from "zod";

const operationSchema = z.looseObject({
  op: z.string(),
  id: z.string().min(1),
  name: z.string().nullish(),
  displayName: z.string().nullish(),
  opts: z.record(z.string(), z.unknown()).nullish(),
  data: z.unknown().optional(),
  error: z.unknown().optional(),
});

/** One operation of an app's answer. `id` is the hash of the step's id. */
export type Operation = z.infer<typeof operationSchema>;

const operationsSchema = z.array(operationSchema).max(1_000);

/** The largest output of a step or a function, in bytes of its JSON text. */
export const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** @returns undefined when it isn't a list of operations, or a list of more than 1,000 */
export function readOperations(raw: unknown): Operation[] | undefined {
  const parsed = operationsSchema.safeParse(raw);
  return parsed.success ? parsed.data : undefined;
}

/** What a person called the step. */
export function stepName(operation: Operation): string {
  return operation.displayName ?? operation.name ?? operation.id;
}

/** The memo of a step that ran: `{"data": …}`. */
export function dataMemo(operation: Operation): string {
  return `{"data":${JSON.stringify(operation.data ?? null)}}`;
}

/** The memo of a step that failed for good: `{"error": …}`. */
export function errorMemo(operation: Operation): string {
  return JSON.stringify({ error: operation.error ?? { name: "Error", message: "The step failed" } });
}
