import { type Transaction, TransactionEndedError } from "@synap/database";
import { isDataError, isTimeLimit, setAside, streamKey } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import {
  countRetrying,
  type EarlierAttempts,
  holdForRetry,
  holdStream,
  parkEvents,
  type RetryingEvent,
} from "../dead-letters/held-streams.ts";
import { type Backoff, backoffDelay } from "./backoff.ts";
import type { HandlerContext, IEventHandler } from "./event-handler.ts";
import { describeFailure, isTransientFailure, saysTransient } from "./handler-errors.ts";

/** How events that fail are tried again, each by itself, while the others go on. */
export interface RetryPolicy {
  /** How often an event is tried before it becomes a dead letter. Transient failures don't count. */
  readonly maxAttempts: number;
  readonly backoff: Backoff;
}

/** A batch that is handled so that one event's failure costs no other event. */
export interface IsolatedBatch {
  readonly handler: IEventHandler;
  readonly events: readonly StoredEvent[];
  readonly transaction: Transaction;
  /** Makes the context for the savepoint in which events are handled. */
  readonly context: (savepoint: Transaction) => HandlerContext;
  /** Default: none, and then an event that fails becomes a dead letter at once, and a transient failure is thrown. */
  readonly retries?: RetryPolicy | undefined;
  /** The batch as a whole has just failed, so its halves are tried next. */
  readonly hasFailed?: boolean | undefined;
  /** The first event is tried again: what happened to it before. */
  readonly earlier?: EarlierAttempts | undefined;
  /**
   * How many passes in a row a time limit has cut off. The events that are cut off again have been tried so many times, and
   * become dead letters when that is as often as the policy allows, also when nothing else can be handled.
   */
  readonly cutOffPasses?: number | undefined;
  /** Without a retry policy: whether an event that a time limit cuts off becomes a dead letter too. Default: no. */
  readonly blamesEvents?: boolean | undefined;
  /** Is given the event that is handled next; nothing when several are. */
  readonly onAttempt?: ((event: StoredEvent | undefined) => void) | undefined;
}

/** What became of an isolated batch. */
export interface IsolationResult {
  readonly deadLettered: number;
  /** Events that wait, those that are tried again included. */
  readonly parked: number;
  readonly retrying: readonly RetryingEvent[];
}

/** So many streams may wait for another attempt. When more fail, the events are not the cause, and the handler waits. */
const MAX_RETRYING = 1_000;
/** So many events of one batch may fail transiently or be cut off before the rest of the batch is no longer tried. */
const MAX_TRANSIENT = 10;

/**
 * Handles the events in order, each lot in a savepoint, and halves a lot that fails until the event that fails stands
 * alone: with one poison event in 1,000 that takes some 20 calls. The event becomes a dead letter or, under a retry
 * policy, is parked and tried again later; the later events of its stream are parked behind it in either case. The
 * others go through. PostgreSQL's refusals of data don't go away, so they are not tried again. What a time limit cuts off may
 * be due to the database or to the event, so it counts as an attempt once others could be handled.
 *
 * @throws a transient failure, as it is, when the database is away or another transaction was in the way; and when the
 *   handler says that trying later can help or a time limit cut it off, unless others of the events could be handled. Then nothing is decided, and
 *   the caller starts again later.
 */
export async function handleIsolated(batch: IsolatedBatch): Promise<IsolationResult> {
  const isolation = new Isolation(batch);
  await isolation.handle(batch.events, batch.hasFailed ?? false);
  return isolation.finish();
}

class Isolation {
  readonly #batch: IsolatedBatch;
  readonly #held = new Set<string>();
  readonly #parked: StoredEvent[] = [];
  readonly #retrying: RetryingEvent[] = [];
  #handled = 0;
  #deadLettered = 0;
  /** Events that failed transiently or were cut off. */
  #waiting = 0;
  #transient: unknown;

  constructor(batch: IsolatedBatch) {
    this.#batch = batch;
  }

  /** @returns whether all of them were handled */
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
    const isFirstHalfWell = await this.handle(own.slice(0, middle), false);
    await this.handle(own.slice(middle), isFirstHalfWell);
    return false;
  }

  async finish(): Promise<IsolationResult> {
    const { handler, transaction, earlier } = this.#batch;
    // Nothing else worked either: what the handler needs is away.
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
    const { retries, blamesEvents = false } = this.#batch;
    const mayWait = retries !== undefined && (saysTransient(thrown) || isTimeLimit(thrown));
    const mayBeTheEvent = mayWait || (blamesEvents && isTimeLimit(thrown));
    if (isTransientFailure(thrown) && !mayBeTheEvent) throw thrown;
    return failure;
  }

  async #fail(event: StoredEvent, cause: unknown): Promise<void> {
    const { handler, transaction, retries, earlier, cutOffPasses = 0 } = this.#batch;
    const isAgain = earlier?.position === event.position;
    const isCutOff = isTimeLimit(cause);
    const attempts = (isAgain ? earlier.attempts : isCutOff ? cutOffPasses : 0) + 1;
    const transient = saysTransient(cause);
    const failure = describeFailure(cause);
    const isTriedAgain =
      retries !== undefined && (transient || (attempts < retries.maxAttempts && !isDataError(cause)));
    if (transient || isCutOff) await this.#countWaiting(cause, isTriedAgain);
    if (isTriedAgain) {
      const retrying: RetryingEvent = {
        event,
        ...failure,
        attempts,
        transient,
        retryInMs: backoffDelay(attempts, retries.backoff),
        ...(isAgain && { firstFailedAt: earlier.firstFailedAt }),
      };
      await holdForRetry(transaction, handler.name, retrying);
      this.#retrying.push(retrying);
      this.#held.add(streamKey(event));
      this.#parked.push(event);
      return;
    }
    this.#deadLettered += 1;
    const deadLetter = await setAside(transaction, {
      handler: handler.name,
      event,
      position: event.position,
      stream: event,
      ...failure,
      attempts,
    });
    // What somebody has skipped before holds nothing back when it comes again.
    if (deadLetter.status !== "open") return;
    await holdStream(transaction, handler.name, event, deadLetter.id);
    this.#held.add(streamKey(event));
  }

  /** @throws the failure when too many fail like this */
  async #countWaiting(cause: unknown, isTriedAgain: boolean): Promise<void> {
    const { handler, transaction, earlier } = this.#batch;
    if (isTriedAgain) this.#transient ??= cause;
    if (earlier !== undefined) return;
    if (this.#waiting >= MAX_TRANSIENT) throw cause;
    if (this.#waiting === 0 && (await countRetrying(transaction, handler.name)) >= MAX_RETRYING) throw cause;
    this.#waiting += 1;
  }
}

/**
 * Handles one event in a savepoint.
 *
 * @returns why the event can't be handled; undefined when it was
 * @throws a transient failure, as it is
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

// A constraint that the handler's tables check only at commit would otherwise fail the transaction of all. Afterwards
// constraints may be deferred again, for a handler that writes what depends on another row before that row.
const CHECK_CONSTRAINTS = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;";

async function attempt(
  { handler, transaction, context }: Pick<IsolatedBatch, "handler" | "transaction" | "context">,
  events: readonly StoredEvent[],
): Promise<{ readonly thrown: unknown } | undefined> {
  try {
    await transaction.savepoint(async (savepoint) => {
      await handler.handle(events, context(savepoint));
      await savepoint.execute(CHECK_CONSTRAINTS);
    });
    return undefined;
  } catch (thrown) {
    // Nothing can be decided any more in a transaction that isn't the one that began.
    if (thrown instanceof TransactionEndedError)
      throw new TransactionEndedError(handler.name, { cause: thrown });
    return { thrown };
  }
}
