import { KeyProviderError } from "@synap/database";
import { isTransient, sqlState } from "@synap/database/internal";
import { didYouMean, isErrorValue, readProperty, thrownFacts } from "@synap/types/internal";
import { isErrorOf } from "../is-error-of.ts";
import { EventVersionNewerError } from "./readable-events.ts";

/** Thrown when another handler of the same name is registered. */
export class DuplicateHandlerError extends Error {
  readonly code = "DUPLICATE_HANDLER";
  override readonly name = "DuplicateHandlerError";
  constructor(handler: string) {
    super(
      `A handler named "${handler}" is already registered. Checkpoints are kept by name, so names are unique.`,
    );
  }
}

/** Thrown when a handler names an event type that is not in the catalogue, such as a misspelt one. */
export class UnknownEventTypeError extends Error {
  readonly code = "UNKNOWN_EVENT_TYPE";
  override readonly name = "UnknownEventTypeError";
  constructor(handler: string, type: string, known: readonly string[]) {
    super(
      `Handler "${handler}" consumes events of type "${type}", which is not in the catalogue${didYouMean(type, known)}.`,
    );
  }
}

/** Thrown when no asynchronous handler of that name is registered. */
export class UnknownHandlerError extends Error {
  readonly code = "UNKNOWN_HANDLER";
  override readonly name = "UnknownHandlerError";
  constructor(handler: string, known: readonly string[]) {
    super(`No asynchronous handler named "${handler}" is registered${didYouMean(handler, known)}.`);
  }
}

/**
 * Thrown when an inline handler calls `append`. It would wait for stream locks while it holds back the watermark of every
 * reader, and could recurse without limit. Reactions belong in an asynchronous handler.
 */
export class InlineAppendError extends Error {
  readonly code = "INLINE_APPEND";
  override readonly name = "InlineAppendError";
  constructor(handler: string) {
    super(`Inline handler "${handler}" tried to append events. Make it asynchronous (mode: "async").`);
  }
}

/** Thrown by an append when an inline handler fails under the policy `reject`. Nothing was stored. */
export class InlineHandlerError extends Error {
  readonly code = "INLINE_HANDLER_FAILED";
  override readonly name = "InlineHandlerError";
  /** The handler that threw; its error is the `cause`. */
  readonly handler: string;
  constructor(handler: string, cause: unknown) {
    super(`Handler "${handler}" refused the events: ${describeFailure(cause).reason}`, { cause });
    this.handler = handler;
  }
}

/** Thrown when a pass of an asynchronous handler failed and was rolled back. The handler's error is the `cause`. */
export class HandlerPassError extends Error {
  readonly code = "HANDLER_PASS_FAILED";
  override readonly name = "HandlerPassError";
  readonly handler: string;
  /** The checkpoint that did not advance: the handler's name, or that of a projection's build or segment. */
  readonly checkpoint: string;
  /** Number of consecutive failed passes in this process, including this one. */
  readonly attempts: number;
  /** True if a later retry can help, because the events are not the cause. */
  readonly transient: boolean;
  /** The code and reason that the status shows. */
  readonly failure: { readonly code: string; readonly reason: string };
  /** The event that was being handled, when it was handled alone. */
  readonly event: { readonly id: string; readonly position: number } | undefined;

  constructor(facts: {
    handler: string;
    checkpoint: string;
    attempts: number;
    transient: boolean;
    event?: { readonly id: string; readonly position: number } | undefined;
    cause: unknown;
  }) {
    const failure = describeFailure(facts.cause);
    super(`Handler "${facts.handler}" failed: ${failure.reason}`, { cause: facts.cause });
    this.handler = facts.handler;
    this.checkpoint = facts.checkpoint;
    this.attempts = facts.attempts;
    this.transient = facts.transient;
    this.failure = failure;
    this.event = facts.event;
  }
}

/**
 * Thrown by a handler when the events are fine and something else is not: an external system is unavailable or
 * rate-limited. The batch is retried without limit and never becomes a dead letter.
 */
export class TransientHandlerError extends Error {
  readonly code = "TRANSIENT_HANDLER_FAILURE";
  override readonly name = "TransientHandlerError";

  /** Recognises instances from another copy of this package too, such as the one in a bundled config. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class at the right of instanceof, which may be a subclass
    return isErrorOf(this, TransientHandlerError, value, "TRANSIENT_HANDLER_FAILURE");
  }
}

/** True if a later retry of the same events can help, according to the handler or to the database's error code. */
export function isTransientFailure(error: unknown): boolean {
  return isMarkedTransient(error) || isTransient(error);
}

/**
 * True if the handler itself marked the failure as transient, by a {@link TransientHandlerError}, the event waits for an update of
 * the process, or the keys of personal data can't be had: it is fine too.
 */
export function isMarkedTransient(error: unknown): boolean {
  try {
    return (
      error instanceof TransientHandlerError ||
      error instanceof EventVersionNewerError ||
      error instanceof KeyProviderError
    );
  } catch {
    return false;
  }
}

/** Describes any thrown value for a dead letter: a kebab-case code to group by, and a readable reason. */
export function describeFailure(error: unknown): { code: string; reason: string } {
  const facts = thrownFacts(causeOfQuery(error));
  const state = sqlState(error);
  if (state !== undefined) return { code: `sqlstate-${state.toLowerCase()}`, reason: facts.message };
  const code = facts.code ?? (facts.isError ? facts.name : "unknown");
  return { code: kebabCase(code), reason: facts.message };
}

/** Unwraps a Drizzle error. Its message is the whole statement; the reason is in its cause. */
function causeOfQuery(error: unknown): unknown {
  const message = readProperty(error, "message");
  const cause = readProperty(error, "cause");
  return typeof message === "string" && message.startsWith("Failed query") && isErrorValue(cause)
    ? cause
    : error;
}

function kebabCase(code: string): string {
  const kebab = code
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return kebab === "" ? "unknown" : kebab;
}
