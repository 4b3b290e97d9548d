import type { EventIssue } from "@synap/types";
import { PROBLEM_CODES, type ProblemCode } from "@synap/types/http";
import { responseHeaders } from "../response-headers.ts";

/** Optional parts of a problem. */
export interface ProblemOptions extends ErrorOptions {
  /** The issues, field by field. */
  readonly errors?: readonly EventIssue[];
  /** Seconds to wait before the next attempt; becomes the Retry-After header. */
  readonly retryAfterSeconds?: number;
  /** Additional headers of the response. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Additional members of the problem document. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** Thrown by a route, or by code that it calls, for a request that can't be fulfilled. It has the response for the client. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: readonly EventIssue[];
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options);
    const { errors = [], headers = {}, members = {}, retryAfterSeconds } = options;
    this.code = code;
    this.status = PROBLEM_CODES[code].status;
    this.errors = errors;
    this.headers =
      retryAfterSeconds === undefined ? headers : { ...headers, "retry-after": String(retryAfterSeconds) };
    this.members = members;
  }

  /** Builds the RFC 9457 document. `instance` is the id of the request, which is also in the log. */
  toDocument(requestId: string): Record<string, unknown> {
    return {
      type: `/problems/${this.code}`,
      title: PROBLEM_CODES[this.code].title,
      status: this.status,
      code: this.code,
      detail: this.message,
      instance: requestId,
      ...(this.errors.length > 0 && { errors: this.errors }),
      ...this.members,
    };
  }

  /** Builds the headers of the response. */
  responseHeaders(requestId: string): Record<string, string> {
    return responseHeaders(requestId, { "content-type": "application/problem+json", ...this.headers });
  }

  /** Builds the response. */
  toResponse(requestId: string): Response {
    return new Response(JSON.stringify(this.toDocument(requestId)), {
      status: this.status,
      headers: this.responseHeaders(requestId),
    });
  }
}
