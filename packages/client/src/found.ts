import { isProblem } from "./errors.ts";
import type { ProblemCode } from "./problems.ts";

/** Awaits a call for something that may not exist: undefined if the API answers with this code. @internal */
export async function found<Answer>(
  call: Promise<Answer>,
  missing: ProblemCode,
): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isProblem(error, missing)) return undefined;
    throw error;
  }
}
