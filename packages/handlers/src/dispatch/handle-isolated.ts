import { type Transaction, TransactionEndedError } from "@synap/database";
import {
  type Backoff,
  backoffDelay,
  isDataError,
  isTimeLimit,
  recordDeadLetter,
  withOwnSettings,
} from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import type { HandlerContext, IEventHandler } from "../handler/event-handler.ts";
import { describeFailure, isMarkedTransient, isTransientFailure } from "../handler/handler-errors.ts";
import {
  countRetrying,
  type EarlierAttempts,
  holdForRetry,
  holdStream,
  parkEvents,
  type RetryingEvent,
} from "./held-streams.ts";

/** The retries of a failing event, which is retried alone while other events are handled. */
export interface RetryPolicy {
  /** Number of attempts after which the event becomes a dead letter. Transient failures don't count. */
  readonly maxAttempts: number;
  readonly backoff: Backoff;
}

/** A batch of events and the handler that receives them, for {@link handleIsolated}. */
export interface IsolatedBatch {
  readonly handler: IEventHandler;
  readonly events: readonly StoredEvent[];
  readonly transaction: Transaction;
  /** Creates the handler's context for a savepoint. */
  readonly context: (savepoint: Transaction) => HandlerContext;
  /** Default: no retries. A failing event becomes a dead letter at once, and a transient failure is thrown. */
  readonly retries?: RetryPolicy | undefined;
  /** True if the batch as a whole has just failed, so that the halves are tried first. */
  readonly hasFailed?: boolean | undefined;
  /** The earlier attempts of the first event, if this is a retry of it. */
  readonly earlier?: EarlierAttempts | undefined;
  /**
   * Number of consecutive passes that ran into a time limit. They count as attempts of each event that runs into it again,
   * so that such an event becomes a dead letter even if no other event can be handled.
   */
  readonly timedOutPasses?: number | undefined;
  /** Without a retry policy: true to make an event that runs into a time limit a dead letter too. Default: false. */
  readonly deadLetterTimeouts?: boolean | undefined;
  /** Called before each attempt with the event, or with undefined if it covers several events. */
  readonly onAttempt?: ((event: StoredEvent | undefined) => void) | undefined;
}

/** The result of {@link handleIsolated}. */
export interface IsolationResult {
  readonly deadLettered: number;
  /** Number of events parked, including those that are retried. */
  readonly parked: number;
  readonly retrying: readonly RetryingEvent[];
}

/** Maximum number of streams of a handler that wait for a retry. Beyond it the cause is not the events, so the handler waits. */
const MAX_RETRYING = 1_000;
/** Maximum number of events of a batch that fail transiently or time out before the batch is given up. */
const MAX_TRANSIENT = 10;

/**
 * Handles a batch so that a failing event does not affect the others. The events are handled in order, in savepoints; a
 * part that fails is bisected down to the failing event, which takes about 20 calls for one poison event in 1,000. That
 * event becomes a dead letter or, under a retry policy, is parked and retried later. Later events of its stream are
 * parked behind it. Data that PostgreSQL refuses is not retried, because it would be refused again. A timeout may be due
 * to the database or to the event, so it counts as an attempt only if other events could be handled.
 *
 * @throws the transient failure if the database is unavailable or another transaction conflicted; also if the handler
 *   marked its error as transient or timed out and no other event could be handled. Nothing is recorded then, and the
 *   caller retries later.
 */
export async function handleIsolated(batch: IsolatedBatch): Promise<IsolationResult> {
  const run = new IsolatedRun(batch);
  await run.handle(batch.events, batch.hasFailed ?? false);
  return run.finish();
}

class IsolatedRun {
  readonly #batch: IsolatedBatch;
  readonly #held = new Set<string>();
  readonly #parked: StoredEvent[] = [];
  readonly #retrying: RetryingEvent[] = [];
  #handled = 0;
  #deadLettered = 0;
  /** Number of events that failed transiently or timed out. */
  #waiting = 0;
  #transient: unknown;

  constructor(batch: IsolatedBatch) {
    this.#batch = batch;
  }

  /** @returns true if every event was handled */
  async handle(events: readonly StoredEvent[], hasFailed: boolean): Promise<boolean> {
    const own = events.filter((event) => !this.#held.has(streamKey(event)));
    this.#parked.push(...events.filter((event) => this.#held.has(streamKey(event))));
    const [first] = own;
    if (first === undefined) return own.length === events.length;
    if (!hasFailed || own.length === 1 || own.length < events.length) {
      const failure = await this.#attempt(own);
      if (failure === undefined) {
        this.#handled += own.length;
        return own.length === events.length;
      }
      if (own.length === 1) {
        await this.#fail(first, failure.thrown);
        return false;
      }
    }
    const middle = Math.ceil(own.length / 2);
    // The failing event is in one of the halves: if the first succeeds, the second needs no attempt as a whole.
    const firstSucceeded = await this.handle(own.slice(0, middle), false);
    await this.handle(own.slice(middle), firstSucceeded);
    return false;
  }

  async finish(): Promise<IsolationResult> {
    const { handler, transaction, earlier } = this.#batch;
    // No event could be handled, so a dependency of the handler is unavailable.
    if (this.#transient !== undefined && this.#handled === 0 && earlier === undefined) throw this.#transient;
    await parkEvents(transaction, handler.name, this.#parked);
    return {
      deadLettered: this.#deadLettered,
      parked: this.#parked.length,
      retrying: this.#retrying,
    };
  }

  async #attempt(events: readonly StoredEvent[]): Promise<{ readonly thrown: unknown } | undefined> {
    this.#batch.onAttempt?.(events.length === 1 ? events[0] : undefined);
    const failure = await attempt(this.#batch, events);
    if (failure === undefined) return undefined;
    const { thrown } = failure;
    const { retries, deadLetterTimeouts = false } = this.#batch;
    const canRetry = retries !== undefined && (isMarkedTransient(thrown) || isTimeLimit(thrown));
    const mayBeTheEvent = canRetry || (deadLetterTimeouts && isTimeLimit(thrown));
    if (isTransientFailure(thrown) && !mayBeTheEvent) throw thrown;
    return failure;
  }

  async #fail(event: StoredEvent, cause: unknown): Promise<void> {
    const { handler, transaction, retries, earlier, timedOutPasses = 0 } = this.#batch;
    const isRetry = earlier?.position === event.position;
    const timedOut = isTimeLimit(cause);
    const attempts = (isRetry ? earlier.attempts : timedOut ? timedOutPasses : 0) + 1;
    const transient = isMarkedTransient(cause);
    const failure = describeFailure(cause);
    const willRetry =
      retries !== undefined && (transient || (attempts < retries.maxAttempts && !isDataError(cause)));
    if (transient || timedOut) await this.#countWaiting(cause, willRetry);
    if (willRetry) {
      const retrying: RetryingEvent = {
        event,
        ...failure,
        attempts,
        transient,
        retryInMs: backoffDelay(attempts, retries.backoff),
        ...(isRetry && { firstFailedAt: earlier.firstFailedAt }),
      };
      await holdForRetry(transaction, handler.name, retrying);
      this.#retrying.push(retrying);
      this.#held.add(streamKey(event));
      this.#parked.push(event);
      return;
    }
    this.#deadLettered += 1;
    const deadLetter = await recordDeadLetter(transaction, {
      handler: handler.name,
      event,
      position: event.position,
      stream: event,
      ...failure,
      attempts,
    });
    // A dead letter that an operator has skipped does not hold its stream.
    if (deadLetter.status !== "open") return;
    await holdStream(transaction, handler.name, event, deadLetter.id);
    this.#held.add(streamKey(event));
  }

  /** @throws the failure if too many events failed transiently or timed out */
  async #countWaiting(cause: unknown, willRetry: boolean): Promise<void> {
    const { handler, transaction, earlier } = this.#batch;
    if (willRetry) this.#transient ??= cause;
    if (earlier !== undefined) return;
    if (this.#waiting >= MAX_TRANSIENT) throw cause;
    if (this.#waiting === 0 && (await countRetrying(transaction, handler.name)) >= MAX_RETRYING) throw cause;
    this.#waiting += 1;
  }
}

/**
 * Handles one event in a savepoint.
 *
 * @returns the failure, or undefined if the event was handled
 * @throws a transient failure
 */
export async function handleAlone(
  target: Pick<IsolatedBatch, "handler" | "transaction" | "context">,
  event: StoredEvent,
): Promise<{ code: string; reason: string } | undefined> {
  const failure = await attempt(target, [event]);
  if (failure === undefined) return undefined;
  if (isTransientFailure(failure.thrown)) throw failure.thrown;
  return describeFailure(failure.thrown);
}

// A violated constraint that is checked only at commit would otherwise fail the whole pass. Afterwards constraints are
// deferred again, for handlers that write a row before the row that it references.
const CHECK_CONSTRAINTS = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;";

async function attempt(
  { handler, transaction, context }: Pick<IsolatedBatch, "handler" | "transaction" | "context">,
  events: readonly StoredEvent[],
): Promise<{ readonly thrown: unknown } | undefined> {
  try {
    await transaction.savepoint(async (savepoint) => {
      // What a batch has failed on may be a setting that a function has changed.
      await withOwnSettings(savepoint, () => handler.handle(events, context(savepoint)), { always: true });
      await savepoint.execute(CHECK_CONSTRAINTS);
    });
    return undefined;
  } catch (thrown) {
    // The transaction is no longer the one of this pass, so nothing can be recorded in it.
    if (thrown instanceof TransactionEndedError)
      throw new TransactionEndedError(handler.name, { cause: thrown });
    return { thrown };
  }
}
