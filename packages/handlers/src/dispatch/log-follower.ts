import type { Database, EventStore, Transaction } from "@synap/database";
import { MAX_READ_EVENTS, readNextAppends, saveCheckpoint, withOwnSettings } from "@synap/database/internal";
import { asyncContext } from "../handler/handler-context.ts";
import { HandlerPassError, isTransientFailure } from "../handler/handler-errors.ts";
import { asError } from "../handler/thrown-error.ts";
import { type ClaimedCheckpoint, claimCheckpoint } from "./claim-checkpoint.ts";
import { clearPassFailure, FailedPasses, type PassTrace, traceInto } from "./failed-passes.ts";
import { handleIsolated, type IsolationResult, type RetryPolicy } from "./handle-isolated.ts";
import { type HandlerPass, idle } from "./handler-pass.ts";
import { releasedStreams } from "./held-streams.ts";
import { parkHeld } from "./inline-handlers.ts";
import type { LogConsumer } from "./log-consumer.ts";
import { Mutex } from "./mutex.ts";
import { type DeadLetterTarget, releaseChunk } from "./release-chunk.ts";
import {
  type PageConsumer,
  type SharedPage,
  SharedPages,
  type TakenEvents,
  takeFrom,
} from "./shared-pages.ts";

export interface LogFollowerOptions {
  readonly database: Database;
  readonly store: Pick<EventStore, "appendBatch">;
  readonly retries: RetryPolicy;
  readonly passLimit: number;
}

/**
 * The isolation of events within a pass.
 *
 * - `whole`: the batch at once, without a savepoint. The fastest.
 * - `halves`: the batch has just failed, and is bisected to find the failing event.
 * - `savepoint`: the batch in a savepoint, bisected if it fails.
 */
type Isolation = "whole" | "halves" | "savepoint";

/** The parts of a pass. */
interface Pass {
  readonly consumer: LogConsumer;
  readonly transaction: Transaction;
  /** Last position that it may handle. */
  readonly upTo: number;
  readonly isolation: Isolation;
  readonly trace: PassTrace;
  /** The pages that it may take its events from, and its part in them; undefined if it reads for itself. */
  readonly sharing: { readonly as: PageConsumer; readonly pages: readonly SharedPage[] } | undefined;
}

/** The result of handling the next events. */
type Handled = Omit<Extract<HandlerPass, { status: "done" }>, "status" | "retryInMs">;

/** Maximum number of events of a pass inside the database. They take about 0.1 s on the embedded engine. */
const DATABASE_PASS_EVENTS = 4_000;

/** Runs the passes of consumers: each from its checkpoint, and those at the same position with one read of the log. */
export class LogFollower {
  readonly #options: LogFollowerOptions;
  readonly #failed: FailedPasses;
  readonly #pages = new SharedPages();

  /** Serialises passes on the embedded engine. It has one session, so an append should wait for one pass, not for one per handler. */
  readonly #mutex: Mutex | undefined;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
    this.#failed = new FailedPasses(options.retries.maxAttempts);
    this.#mutex = options.database.engine === "embedded" ? new Mutex() : undefined;
  }

  /**
   * Runs one pass in one transaction: locks the checkpoint, resumes a released stream or else reads the next events below
   * the watermark, handles them and saves the checkpoint. If it fails and an event may be the cause, a second pass isolates
   * that event at once.
   *
   * @param announced the number of appends that had been announced when the caller decided on this pass. With it the
   *   consumer shares pages with others; `caughtUp` is true only if nothing that was announced by then is missing.
   * @throws HandlerPassError when nothing was committed; call again after a while.
   */
  async catchUp(consumer: LogConsumer, announced?: number): Promise<HandlerPass> {
    const trace: PassTrace = { events: 0 };
    try {
      const pass = await this.#inTransaction(consumer, "whole", trace, announced).catch((thrown: unknown) => {
        const cause = asError(thrown);
        const inDatabase = consumer.applyInDatabase !== undefined;
        if (!this.#failed.shouldIsolate(consumer.checkpoint, cause, trace, inDatabase)) throw cause;
        return this.#inTransaction(consumer, "halves", trace);
      });
      this.#failed.reset(consumer.checkpoint);
      if (pass.status === "busy") this.#pages.left(consumer.checkpoint);
      else if (consumer.applyInDatabase === undefined) {
        this.#pages.moved(consumer.checkpoint, consumer.handler.eventTypes, pass.position);
      }
      return pass;
    } catch (thrown) {
      const cause = asError(thrown);
      const { handler, checkpoint } = consumer;
      const attempts = this.#failed.count(checkpoint, cause);
      const transient = isTransientFailure(cause);
      // The next connection may lead to a database that was restored to an earlier moment.
      if (transient) this.#pages.clear();
      const { event } = trace;
      throw new HandlerPassError({ handler: handler.name, checkpoint, attempts, transient, event, cause });
    }
  }

  /** Runs a pass in the caller's transaction, up to the position `upTo`. The caller may already hold the checkpoint's lock. */
  passInside(consumer: LogConsumer, transaction: Transaction, upTo: number): Promise<HandlerPass> {
    const trace = { events: 0 };
    return this.#pass({ consumer, transaction, upTo, isolation: "savepoint", trace, sharing: undefined });
  }

  #inTransaction(
    consumer: LogConsumer,
    isolation: Isolation,
    trace: PassTrace,
    announced?: number,
  ): Promise<HandlerPass> {
    const upTo = Number.MAX_SAFE_INTEGER;
    const inTransaction = () =>
      this.#options.database.transaction((transaction) => {
        const sharing = this.#sharing(consumer, announced);
        return this.#pass({ consumer, transaction, upTo, isolation, trace, sharing });
      });
    return this.#mutex?.runExclusive(inTransaction) ?? inTransaction();
  }

  #sharing(
    { handler, checkpoint, applyInDatabase }: LogConsumer,
    announced: number | undefined,
  ): Pass["sharing"] {
    if (announced === undefined || applyInDatabase !== undefined) return undefined;
    const as = { checkpoint, types: handler.eventTypes, announced, limit: this.#options.passLimit };
    return { as, pages: this.#pages.pagesWith(handler.eventTypes) };
  }

  async #pass(pass: Pass): Promise<HandlerPass> {
    const { consumer, transaction, upTo, isolation, trace, sharing } = pass;
    const { handler, checkpoint, build } = consumer;
    const [oldest, newest] = [sharing?.pages[0], sharing?.pages.at(-1)];
    const claimed = await claimCheckpoint(transaction, {
      checkpoint,
      handler: handler.name,
      build,
      window: this.#window(consumer, isolation),
      known: oldest && newest && { after: oldest.after, to: newest.position },
    });
    if (claimed === undefined) return { status: "busy" };
    if (claimed.failing) await clearPassFailure(transaction, checkpoint);
    if (build !== undefined) {
      if (claimed.mode !== "async" || claimed.segments !== build.segments) {
        // The build was changed after the caller read it, so this checkpoint is no longer used.
        await transaction.query("DELETE FROM synap.checkpoints WHERE handler = $1", [checkpoint]);
        return idle(claimed.position);
      }
      if (claimed.paused === true) return idle(claimed.position);
    }
    if (claimed.released) {
      const resumed = await this.#release(consumer, transaction, claimed.position, trace);
      if (resumed !== undefined) return resumed;
    }
    const read = (await this.#applyInDatabase(pass, claimed)) ?? (await this.#handleNext(pass, claimed));
    const position = Math.min(read.position, upTo);
    if (position > claimed.position) await saveCheckpoint(transaction, checkpoint, position);
    // A retry that was due when the pass began belongs to another segment.
    const waiting = claimed.retry_in !== null && claimed.retry_in > 0 ? [claimed.retry_in] : [];
    const retryInMs = soonest([...read.retrying.map((event) => event.retryInMs), ...waiting]);
    return { ...read, status: "done", position, retryInMs };
  }

  /** The size of the window. It is large for a handler of some event types, which would otherwise need many empty passes. */
  #window({ handler, applyInDatabase }: LogConsumer, isolation: Isolation): number {
    if (handler.eventTypes !== "all") return MAX_READ_EVENTS;
    return applyInDatabase === undefined || isolation === "halves"
      ? this.#options.passLimit
      : DATABASE_PASS_EVENTS;
  }

  /** Handles the next events inside the database; undefined if they must be handled individually. */
  async #applyInDatabase(
    { consumer, transaction, upTo, isolation }: Pass,
    claimed: ClaimedCheckpoint,
  ): Promise<Handled | undefined> {
    if (claimed.known) return undefined;
    const { position: after, watermark, up_to: end, min_timestamp: from, max_timestamp: to, more } = claimed;
    if (consumer.applyInDatabase === undefined || consumer.accepts !== undefined) return undefined;
    if (claimed.held || claimed.handled_ahead !== null || isolation === "halves") return undefined;
    if (end === null || from === null || to === null) return undefined;
    const range = { after, upTo: Math.min(end, upTo), from: new Date(from), to: new Date(to) };
    const processed = await consumer.applyInDatabase(transaction, range);
    return { processed, deadLettered: 0, retrying: [], position: more ? end : watermark, caughtUp: !more };
  }

  /** Takes the next events from a page that is shared, or reads them. */
  async #nextEvents(
    { consumer, transaction, sharing }: Pass,
    claimed: ClaimedCheckpoint,
  ): Promise<TakenEvents> {
    const { position: after } = claimed;
    if (claimed.known) {
      const taken = sharing && takeFrom(sharing.pages, sharing.as, after);
      if (taken === undefined) throw new Error(`No page has the events after ${after}.`);
      return taken;
    }
    const read = (types: readonly string[] | "all") =>
      readNextAppends(transaction, claimed, {
        after,
        limit: this.#options.passLimit,
        ...(types === "all" ? {} : { types }),
      });
    if (sharing === undefined || claimed.up_to === null) return read(consumer.handler.eventTypes);
    return this.#pages.read(sharing.as, after, read);
  }

  /** Passes the next events to the handler. */
  async #handleNext(pass: Pass, claimed: ClaimedCheckpoint): Promise<Handled> {
    const { consumer, transaction, upTo, isolation, trace } = pass;
    const { name } = consumer.handler;
    const page = await this.#nextEvents(pass, claimed);
    const handled = new Set(claimed.handled_ahead ?? []);
    const own = page.events.filter(
      (event) =>
        event.position <= upTo &&
        (consumer.accepts === undefined || consumer.accepts(event)) &&
        !handled.has(event.position),
    );
    const events = claimed.held && own.length > 0 ? await parkHeld(transaction, name, own) : own;
    trace.events = events.length;
    traceInto(trace)(events.length === 1 ? events[0] : undefined);
    const target = this.target(consumer);
    let isolated: Pick<IsolationResult, "deadLettered" | "retrying"> = { deadLettered: 0, retrying: [] };
    if (events.length > 0 && isolation === "whole") {
      await withOwnSettings(transaction, () => consumer.handler.handle(events, target.context(transaction)));
      trace.handled = true;
    } else if (events.length > 0) {
      const onAttempt = traceInto(trace);
      isolated = await handleIsolated({
        ...target,
        events,
        transaction,
        hasFailed: isolation === "halves",
        timedOutPasses: this.#failed.timedOut(consumer.checkpoint),
        onAttempt,
      });
    }
    const { deadLettered, retrying } = isolated;
    const { position, caughtUp } = page;
    return { processed: events.length, deadLettered, retrying, position, caughtUp };
  }

  /** The target for retries of the consumer's dead letters, which exclude its passes by locking the checkpoint. */
  target(consumer: LogConsumer): DeadLetterTarget {
    return {
      handler: consumer.handler,
      retries: this.#options.retries,
      context: (transaction) => asyncContext(consumer.handler.name, transaction, this.#options.store),
      lock: async (transaction) => {
        await transaction.query("SELECT FROM synap.checkpoints WHERE handler = $1 FOR UPDATE", [
          consumer.checkpoint,
        ]);
      },
    };
  }

  async #release(
    consumer: LogConsumer,
    transaction: Transaction,
    position: number,
    trace: PassTrace,
  ): Promise<HandlerPass | undefined> {
    const streams = await releasedStreams(transaction, consumer.handler.name);
    const stream = streams.find((each) => consumer.accepts === undefined || consumer.accepts(each));
    if (stream === undefined) return undefined;
    const timedOutPasses = this.#failed.timedOut(consumer.checkpoint);
    const target = { ...this.target(consumer), timedOutPasses, onAttempt: traceInto(trace) };
    const { handled, deadLettered, retrying } = await releaseChunk(target, transaction, stream);
    return {
      status: "done",
      processed: handled + deadLettered,
      deadLettered,
      retrying,
      position,
      caughtUp: false,
    };
  }
}

function soonest(waits: readonly number[]): number | undefined {
  return waits.length === 0 ? undefined : Math.min(...waits);
}
