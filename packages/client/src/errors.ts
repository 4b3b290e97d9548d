import type { ProblemCode, ProblemDocument, ProblemOf } from "./problems.ts";

/** Options of an error that a response caused. */
interface ResponseErrorOptions extends ErrorOptions {
  /** Milliseconds until the API wants to be asked again: the header Retry-After of the response. */
  readonly retryAfterMs?: number | undefined;
}

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
  /** Milliseconds until the API wants to be asked again, if its response had the header Retry-After. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: ProblemDocument, options?: ResponseErrorOptions) {
    super(`${problem.title}: ${problem.detail}`, options);
    this.problem = problem;
    this.retryAfterMs = options?.retryAfterMs;
  }

  /** The kind of problem. */
  get code(): ProblemCode {
    return this.problem.code;
  }
}

/** Checks that an error is a problem with one of these codes. */
export function isProblem<Code extends ProblemCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is SynapProblem & { readonly problem: ProblemOf<Code> } {
  return error instanceof SynapProblem && codes.some((code) => code === error.problem.code);
}

/** No response came: the API can't be reached, or a request took longer than its time limit. */
export class SynapUnreachableError extends Error {
  override readonly name = "SynapUnreachableError";
  readonly code = "unreachable";
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`The API at ${url} can't be reached: ${reasonOf(cause)}.`, { cause });
    this.url = url;
  }
}

/** A response that doesn't come from Synap: a proxy's page, or another program at this address. */
export class SynapResponseError extends Error {
  override readonly name = "SynapResponseError";
  readonly code = "answer-invalid";
  readonly url: string;
  readonly status: number;
  /** Milliseconds until whatever answered wants to be asked again, if its response had the header Retry-After. */
  readonly retryAfterMs: number | undefined;

  constructor(url: string, status: number, reason: string, options?: ResponseErrorOptions) {
    super(`What answers at ${url} doesn't look like Synap's API (status ${status}): ${reason}.`, options);
    this.url = url;
    this.status = status;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** The URL that a client was given is not one of an API. */
export class SynapUrlError extends Error {
  override readonly name = "SynapUrlError";
  readonly code = "url-invalid";
  readonly url: string;

  constructor(url: string) {
    super(
      `${JSON.stringify(url)} can't be the URL of an API: it has to begin with http:// or https://, as in http://127.0.0.1:3400.`,
    );
    this.url = url;
  }
}

/** Milliseconds until the API wants to be asked again, as the response that caused an error said. */
export function retryAfterOf(error: unknown): number | undefined {
  return error instanceof SynapProblem || error instanceof SynapResponseError
    ? error.retryAfterMs
    : undefined;
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // fetch wraps what the operating system said.
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
