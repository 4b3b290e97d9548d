import { fillPath, readUrl, writeQuery } from "./address.ts";
import { pauseAfter, sleep } from "./backoff.ts";
import type { CallOptions } from "./contract.ts";
import {
  isProblem,
  retryAfterOf,
  SynapProblem,
  SynapResponseError,
  SynapUnreachableError,
} from "./errors.ts";
import { OPERATIONS, type Operation, type OperationName } from "./operations.ts";
import type { ProblemDocument } from "./problems.ts";
import type { RequestOf } from "./requests.ts";
import type { Resource, ResourceName } from "./resources.ts";

/** A token, or a function that gives one for each request: an expired one can be replaced. */
export type Token = string | (() => string | Promise<string>);

/** Attempts and pauses of requests that fail. */
export interface RetryOptions {
  /** Attempts in all. 1: none is repeated. Default 6. */
  readonly attempts?: number;
  /** The first pause in milliseconds, doubled with every attempt, with jitter. Default 200. */
  readonly firstMs?: number;
  /** The longest pause in milliseconds; the API's own Retry-After may be longer. Default 10,000. */
  readonly maxMs?: number;
  /** Milliseconds that a call may take with all its attempts: no pause outlasts them. Default: as many as the attempts take. */
  readonly patienceMs?: number;
  /** Called before each pause with what failed, and how many milliseconds the next attempt waits. */
  readonly onRetry?: (fault: unknown, waitMs: number) => void;
}

/** Settings of a client that its requests use. */
export interface TransportOptions {
  /** Base URL of the API, such as `http://127.0.0.1:3400`. */
  readonly url: string | URL;
  /** The API key or JWT, sent with every request. An API on this machine needs none outside of production. */
  readonly token?: Token;
  /** Name of the operator in the log of admin operations. Needs the scope `act-for-others`. */
  readonly actor?: string;
  readonly retry?: RetryOptions;
  /**
   * Milliseconds for one attempt. Default 30,000. Operations that may not be repeated, such as comparing the rows of a
   * projection, take as long as they take.
   */
  readonly timeoutMs?: number;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** The position that one read has to see, in addition to what the client has seen. */
interface AtPosition {
  readonly minPosition?: number | undefined;
  /** Seconds that the API may wait until a read model has `minPosition`. */
  readonly waitSeconds?: number | undefined;
}

/** The request of an operation, whichever it is. */
interface Call extends CallOptions, AtPosition {
  readonly path?: Readonly<Record<string, string | number>> | undefined;
  readonly query?: object | undefined;
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`: JSON that was written already. */
  readonly json?: string;
  readonly backfill?: boolean | undefined;
}

/** The request of one operation, and the options of the call. */
type CallOf<Name extends OperationName> = CallOptions & AtPosition & RequestOf<Name>;

type ResponseOf<Name extends OperationName> = (typeof OPERATIONS)[Name]["response"] extends infer Answer
  ? Answer extends ResourceName | readonly ResourceName[]
    ? Resource<Answer extends readonly (infer Each extends ResourceName)[] ? Each : Answer & ResourceName>
    : Answer extends "text"
      ? string
      : unknown
  : never;

/** An attempt that failed, of a call that may go on. @internal */
export interface FailedAttempt {
  readonly fault: unknown;
  /** Number of attempts. */
  readonly attempts: number;
  /** When the call began, by `performance.now()`. */
  readonly since: number;
}

/** Sends requests and repeats them. @internal */
export interface Transport {
  /** Base URL of the API, without a trailing slash. */
  readonly url: string;
  /**
   * Calls an operation and parses its response.
   * @throws SynapProblem, SynapUnreachableError, SynapResponseError, and the signal's reason
   */
  call<Name extends OperationName>(operation: Name, call: CallOf<Name>): Promise<ResponseOf<Name>>;
  /** Calls an operation once, without a time limit, and gives the response as it is. @throws as `call` */
  open<Name extends OperationName>(operation: Name, call: CallOf<Name>): Promise<Response>;
  /** Waits before the attempt that follows; false when there is none. @throws the signal's reason */
  pause(failed: FailedAttempt, signal?: AbortSignal): Promise<boolean>;
}

/** The paths of the operations on which the name of the operator is recorded. */
const ADMIN_PATH = /^\/api\/v1\/(?:admin\/|events\/(?:unprocessed|\{id\}\/processing)$)/;

function hasBody({ method }: Operation): boolean {
  return method === "POST" || method === "PUT";
}

/** Statuses that may pass: the process is starting, full or going, or a proxy lost it. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** The position that was written or seen, in answers, and that a read has to see, in requests: the API may read from a replica. */
const POSITION_HEADER = "x-synap-position";

/** Makes a transport. @internal */
export function createTransport(options: TransportOptions): Transport {
  const base = readUrl(String(options.url)).replace(/\/+$/, "");
  const {
    attempts = 6,
    firstMs = 200,
    maxMs = 10_000,
    patienceMs = Number.POSITIVE_INFINITY,
    onRetry,
  } = options.retry ?? {};
  const { timeoutMs = 30_000 } = options;
  // Called without `this`, which browsers insist on.
  const send: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init));

  /** The highest position of an answer. What a caller asks for is not noted: there may be no such position. */
  let seen = 0;

  async function headersOf(operation: Operation, call: Call): Promise<Headers> {
    const headers = new Headers();
    for (const [name, value] of Object.entries(call.headers ?? {})) {
      if (value !== undefined) headers.set(name, value);
    }
    const { minPosition = 0, waitSeconds } = call;
    // A wait is for the position that the caller names, whatever else the client has seen.
    const needed = waitSeconds === undefined ? Math.max(seen, minPosition) : minPosition;
    if (operation.method === "GET" && needed > 0) headers.set(POSITION_HEADER, String(needed));
    if (waitSeconds !== undefined) headers.set("prefer", `wait=${waitSeconds}`);
    // A request that changes something says that it is JSON even without a body: a form on another site can't.
    if (hasBody(operation)) headers.set("content-type", "application/json");
    const { token, actor } = options;
    if (token !== undefined) {
      headers.set("authorization", `Bearer ${typeof token === "string" ? token : await token()}`);
    }
    if (actor !== undefined && ADMIN_PATH.test(operation.path)) headers.set("x-synap-actor", actor);
    return headers;
  }

  async function attempt(
    operation: Operation,
    call: Call,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const query = { ...call.query, ...(call.backfill === true && { backfill: true }) };
    const url = `${base}${fillPath(operation.path, call.path ?? {})}${writeQuery(query)}`;
    const body = hasBody(operation) ? (call.json ?? JSON.stringify(call.body ?? {})) : null;
    const headers = await headersOf(operation, call);
    try {
      const response = await send(url, {
        method: operation.method,
        headers,
        body,
        ...(signal && { signal }),
      });
      seen = Math.max(seen, Number(response.headers.get(POSITION_HEADER)) || 0);
      return response;
    } catch (cause) {
      call.signal?.throwIfAborted();
      throw new SynapUnreachableError(base, cause);
    }
  }

  async function pause({ fault, attempts: done, since }: FailedAttempt, signal?: AbortSignal) {
    if (done >= attempts) return false;
    const waitMs = pauseAfter(done, { firstMs, maxMs }, retryAfterOf(fault));
    if (performance.now() + waitMs - since > patienceMs) return false;
    onRetry?.(fault, waitMs);
    await sleep(waitMs, signal);
    return true;
  }

  return {
    url: base,
    pause,
    async call(name, call: Call) {
      const operation: Operation = OPERATIONS[name];
      const since = performance.now();
      for (let attempts = 1; ; attempts += 1) {
        let fault: unknown;
        try {
          const limits = [call.signal, operation.repeatable ? AbortSignal.timeout(timeoutMs) : undefined];
          const signal = AbortSignal.any(limits.filter((each) => each !== undefined));
          const response = await attempt(operation, call, signal);
          const answer = await readResponse(base, response, operation).catch((cause: unknown) => {
            call.signal?.throwIfAborted();
            throw cause instanceof SynapResponseError || cause instanceof SynapProblem
              ? cause
              : new SynapUnreachableError(base, cause);
          });
          // The response has the form of the operation: the API's document, checked by a test, says so.
          return answer as ResponseOf<typeof name>;
        } catch (error) {
          fault = error;
          // Noticed once: what the client has seen is not in the store any more, and reads go on without it.
          if (isProblem(fault, "position-lost")) seen = 0;
        }
        call.signal?.throwIfAborted();
        if (!mayRepeat(operation, fault)) throw fault;
        if (!(await pause({ fault, attempts, since }, call.signal))) throw fault;
      }
    },
    async open(name, call: Call) {
      const operation: Operation = OPERATIONS[name];
      const response = await attempt(operation, call, call.signal);
      if (!response.ok) await readResponse(base, response, operation);
      return response;
    },
  };
}

/** An operation that isn't repeatable follows only a response that says that nothing was done: 503 with Retry-After. */
function mayRepeat(operation: Operation, fault: unknown): boolean {
  if (fault instanceof SynapUnreachableError) return operation.repeatable;
  const status = fault instanceof SynapProblem ? fault.problem.status : statusOf(fault);
  if (status === undefined || !PASSING.has(status)) return false;
  // It has waited as long as the caller wanted.
  if (isProblem(fault, "position-not-reached")) return false;
  // Results for each event: whoever published decides which of them to send again.
  if (fault instanceof SynapProblem && fault.problem.results !== undefined) return false;
  return operation.repeatable || (status === 503 && retryAfterOf(fault) !== undefined);
}

function statusOf(fault: unknown): number | undefined {
  return fault instanceof SynapResponseError ? fault.status : undefined;
}

/** @throws SynapProblem, SynapResponseError */
async function readResponse(
  base: string,
  response: Response,
  { response: expected }: Operation,
): Promise<unknown> {
  const text = await response.text();
  if (response.ok && expected === "text") return text;
  const retryAfterMs = readRetryAfter(response);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SynapResponseError(base, response.status, "its body is not JSON", { cause, retryAfterMs });
  }
  if (response.ok) return value;
  if (isProblemDocument(value)) throw new SynapProblem(value, { retryAfterMs });
  throw new SynapResponseError(base, response.status, "it is no problem document", { retryAfterMs });
}

/** Checks that a value has the members of every problem document. */
function isProblemDocument(value: unknown): value is ProblemDocument {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    typeof value.code === "string" &&
    "title" in value &&
    "detail" in value &&
    "status" in value &&
    typeof value.status === "number"
  );
}

/** Milliseconds until the API wants to be asked again: Retry-After in seconds, or as a date. */
function readRetryAfter(response: Response): number | undefined {
  const header = response.headers.get("retry-after");
  if (header === null) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - Date.now();
  // Nobody waits for longer than five minutes because of a header.
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), 300_000);
}
