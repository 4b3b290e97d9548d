import type { ProblemCode, ProblemDocument, ProblemOf } from "@synap/types/http";

/**
 * A request that the API refused, with its problem document (RFC 9457). `problem` is a union: checking `problem.code` gives
 * the members that belong to that code.
 *
 * @example
 * if (error instanceof SynapProblem && error.problem.code === "optimistic-lock") retryFrom(error.problem.actualVersion);
 */
export class SynapProblem extends Error {
  override readonly name = "SynapProblem";
  readonly problem: ProblemDocument;

  constructor(problem: ProblemDocument, options?: ErrorOptions) {
    super(`${problem.title}: ${problem.detail}`, options);
    this.problem = problem;
  }

  /** The kind of problem. */
  get code(): ProblemCode {
    return this.problem.code;
  }
}

/** Whether an error is a problem of one of these codes. */
export function isProblem<Code extends ProblemCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is SynapProblem & { readonly problem: ProblemOf<Code> } {
  return error instanceof SynapProblem && codes.some((code) => code === error.problem.code);
}

/** No answer came: the API can't be reached, or a request took longer than its time limit. */
export class SynapUnreachableError extends Error {
  override readonly name = "SynapUnreachableError";
  readonly code = "unreachable";
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`The API at ${url} can't be reached: ${reasonOf(cause)}.`, { cause });
    this.url = url;
  }
}

/** An answer that doesn't come from Synap: a proxy's page, or another program at this address. */
export class SynapAnswerError extends Error {
  override readonly name = "SynapAnswerError";
  readonly code = "answer-invalid";
  readonly url: string;
  readonly status: number;

  constructor(url: string, status: number, reason: string, options?: ErrorOptions) {
    super(`What answers at ${url} doesn't look like Synap's API (status ${status}): ${reason}.`, options);
    this.url = url;
    this.status = status;
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // fetch wraps what the operating system said.
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
