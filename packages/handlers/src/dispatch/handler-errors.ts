import { isTransient, sqlState } from "@synap/database/internal";
import { didYouMean, isErrorValue, readProperty, thrownFacts } from "@synap/types/internal";
import { isErrorOf } from "../error-copies.ts";

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

/** Thrown when a handler names an event type that is not in the catalogue: most likely a misspelling. */
export class UnknownEventTypeError extends Error {
  readonly code = "UNKNOWN_EVENT_TYPE";
  override readonly name = "UnknownEventTypeError";
  constructor(handler: string, type: string, known: readonly string[]) {
    super(
      `Handler "${handler}" wants events of type "${type}", which is not in the catalogue${didYouMean(type, known)}.`,
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
 * An inline handler called `append`. It would wait for stream locks while it already holds back every
 * reader's watermark, and could call itself without end: events that come from events belong in an
 * asynchronous handler.
 */
export class InlineAppendError extends Error {
  readonly code = "INLINE_APPEND";
  override readonly name = "InlineAppendError";
  constructor(handler: string) {
    super(`Inline handler "${handler}" tried to append events. Make it asynchronous (mode: "async").`);
  }
}

/** An inline handler refused the events and the policy is `reject`: the append did not happen. */
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

/** A pass of an asynchronous handler failed and was rolled back whole. The error is the `cause`. */
export class HandlerPassError extends Error {
  readonly code = "HANDLER_PASS_FAILED";
  override readonly name = "HandlerPassError";
  readonly handler: string;
  /** The checkpoint that didn't move: the handler's name, or that of a projection's build or segment. */
  readonly checkpoint: string;
  /** How many passes have failed in a row in this process, counting this one. */
  readonly attempts: number;
  /** Whether a later retry can help, because the events are not to blame. */
  readonly transient: boolean;
  /** The reason, as shown by the status. */
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

/** Whether trying the same events again later can help: the database's own judgement, or the handler's word. */
export function isTransientFailure(error: unknown): boolean {
  return saysTransient(error) || isTransient(error);
}

/** Whether the handler says that trying later can help: its own word, not the database's judgement. */
export function saysTransient(error: unknown): boolean {
  try {
    return error instanceof TransientHandlerError;
  } catch {
    return false;
  }
}

/** A failure as a dead letter keeps it: a short code in kebab case to group by, and a reason for people. Takes anything. */
export function describeFailure(error: unknown): { code: string; reason: string } {
  const facts = thrownFacts(causeOfQuery(error));
  const state = sqlState(error);
  if (state !== undefined) return { code: `sqlstate-${state.toLowerCase()}`, reason: facts.message };
  const code = facts.code ?? (facts.isError ? facts.name : "unknown");
  return { code: kebabCase(code), reason: facts.message };
}

/** Drizzle wraps the driver's error and puts the whole statement into the message; the cause says what is wrong. */
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
