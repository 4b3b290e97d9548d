import type { Database, EventStore, StreamName, Transaction } from "@synap/database";
import { MAX_READ_EVENTS, readNextAppends, saveCheckpoint } from "@synap/database/internal";
import { type DeadLetterTarget, releaseChunk } from "../dead-letters/dead-letters.ts";
import { type RetryingEvent, releasedStreams } from "../dead-letters/held-streams.ts";
import type { LogRange } from "../projections/log-statement.ts";
import { type BegunPass, beginPass } from "./begin-pass.ts";
import type { IEventHandler } from "./event-handler.ts";
import { FailedPasses } from "./failed-passes.ts";
import { asyncContext } from "./handler-context.ts";
import { HandlerPassError, isTransientFailure } from "./handler-errors.ts";
import { parkHeld } from "./inline-handlers.ts";
import { handleIsolated, type IsolationResult, type RetryPolicy } from "./isolated-batch.ts";
import { forgetPassFailure } from "./pass-failures.ts";
import { noteInto, type PassTrace } from "./pass-trace.ts";
import { PassTurns } from "./pass-turns.ts";
import { asError } from "./thrown-error.ts";

/** The result of a pass of an asynchronous handler. */
export type HandlerPass =
  /** Another worker is running this handler. */
  | { readonly status: "busy" }
  | {
      readonly status: "done";
      /** Events handed to the handler, dead letters included. */
      readonly processed: number;
      readonly deadLettered: number;
      /** Events that failed and are tried again by themselves; the later ones of their streams wait for them. */
      readonly retrying: readonly RetryingEvent[];
      /** In how many milliseconds the next event is tried again; missing when none is to be. */
      readonly retryInMs?: number | undefined;
      /** The checkpoint after the pass. */
      readonly position: number;
      /** Nothing was left below the watermark. */
      readonly caughtUp: boolean;
    };

/** A consumer of the log: a handler with its checkpoint. */
export interface Feed {
  /** Its dead letters are kept under its name. */
  readonly handler: IEventHandler;
  /** The name of its checkpoint. */
  readonly checkpoint: string;
  /** Whether a stream belongs to this consumer's segment. Default: all streams. */
  readonly accepts?: ((stream: StreamName) => boolean) | undefined;
  /** The build of a projection that it feeds. */
  readonly build?:
    | { readonly projection: string; readonly build: number; readonly segments: number }
    | undefined;
  /**
   * Handles a stretch of the log without having the events brought here, and answers how many they were. Used unless
   * events have to be handled individually: streams are held, or a batch has failed.
   */
  readonly applyToLog?: ((transaction: Transaction, stretch: LogRange) => Promise<number>) | undefined;
}

export interface LogFollowerOptions {
  readonly database: Database;
  readonly store: Pick<EventStore, "appendBatch">;
  readonly retries: RetryPolicy;
  readonly passLimit: number;
}

/**
 * How a pass hands events over. `whole`: the batch at once, without a savepoint, which is the fastest. `halves`: the batch
 * has just failed, so the event at fault is looked for. `careful`: the batch in a savepoint, and halves if it fails.
 */
type PassMode = "whole" | "halves" | "careful";

/** What a pass did, apart from its status. */
type Done = Omit<Extract<HandlerPass, { status: "done" }>, "status" | "retryInMs">;

/** The most events of a pass that leaves them where they are: a tenth of a second on the embedded engine. */
const LOG_PASS_EVENTS = 4_000;

/** Runs passes of handlers along the log, from their checkpoints. */
export class LogFollower {
  readonly #options: LogFollowerOptions;
  readonly #failed: FailedPasses;

  /** The embedded engine has one session: an append should wait for one pass there, and not for one of every handler. */
  readonly #turns: PassTurns | undefined;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
    this.#failed = new FailedPasses(options.retries.maxAttempts);
    this.#turns = options.database.engine === "embedded" ? new PassTurns() : undefined;
  }

  /**
   * One pass, in one transaction: locks the checkpoint, goes on with streams that waited, or else reads on up to the
   * watermark, handles, saves the checkpoint. When the events may be to blame for a failure, a second pass follows at
   * once that isolates the event at fault.
   *
   * @throws HandlerPassError when nothing could be committed; call again after a while.
   */
  async catchUp(feed: Feed): Promise<HandlerPass> {
    const trace: PassTrace = { events: 0 };
    try {
      const pass = await this.#inTransaction(feed, "whole", trace).catch((thrown: unknown) => {
        const cause = asError(thrown);
        const isInLog = feed.applyToLog !== undefined;
        if (!this.#failed.mayBlameEvents(feed.checkpoint, cause, trace, isInLog)) throw cause;
        return this.#inTransaction(feed, "halves", trace);
      });
      this.#failed.forget(feed.checkpoint);
      return pass;
    } catch (thrown) {
      const cause = asError(thrown);
      const { handler, checkpoint } = feed;
      const attempts = this.#failed.count(checkpoint, cause);
      const transient = isTransientFailure(cause);
      const { event } = trace;
      throw new HandlerPassError({ handler: handler.name, checkpoint, attempts, transient, event, cause });
    }
  }

  /** A pass in a transaction of the caller, who may hold the checkpoint's lock already; no further than `upTo`. */
  passInside(feed: Feed, transaction: Transaction, upTo: number): Promise<HandlerPass> {
    return this.#pass(feed, transaction, upTo, "careful", { events: 0 });
  }

  #inTransaction(feed: Feed, mode: PassMode, trace: PassTrace): Promise<HandlerPass> {
    const inTransaction = () =>
      this.#options.database.transaction((transaction) =>
        this.#pass(feed, transaction, Number.MAX_SAFE_INTEGER, mode, trace),
      );
    return this.#turns?.take(inTransaction) ?? inTransaction();
  }

  async #pass(
    feed: Feed,
    transaction: Transaction,
    upTo: number,
    mode: PassMode,
    trace: PassTrace,
  ): Promise<HandlerPass> {
    const { handler, checkpoint, build } = feed;
    const begun = await beginPass(transaction, {
      checkpoint,
      handler: handler.name,
      build,
      window: this.#window(feed, mode),
    });
    if (begun === undefined) return { status: "busy" };
    if (begun.failing) await forgetPassFailure(transaction, checkpoint);
    if (build !== undefined) {
      if (begun.feed !== "async" || begun.segments !== build.segments) {
        // The build was changed since somebody looked: this checkpoint belongs to nobody.
        await transaction.query("DELETE FROM synap.checkpoints WHERE handler = $1", [checkpoint]);
        return idle(begun.position);
      }
      if (begun.paused === true) return idle(begun.position);
    }
    if (begun.released) {
      const pass = await this.#release(feed, transaction, begun.position, trace);
      if (pass !== undefined) return pass;
    }
    const read =
      (await this.#applyToLog(feed, transaction, begun, upTo, mode)) ??
      (await this.#handleHere(feed, transaction, begun, upTo, mode, trace));
    const position = Math.min(read.position, upTo);
    if (position > begun.position) await saveCheckpoint(transaction, checkpoint, position);
    // What was due when the pass began is another segment's.
    const waiting = begun.retry_in !== null && begun.retry_in > 0 ? [begun.retry_in] : [];
    const retryInMs = soonest([...read.retrying.map((event) => event.retryInMs), ...waiting]);
    return { ...read, status: "done", position, retryInMs };
  }

  /** How far to look ahead: a reader of few events looks further, or it would need a pass for every page of others. */
  #window({ handler, applyToLog }: Feed, mode: PassMode): number {
    if (handler.eventTypes !== "all") return MAX_READ_EVENTS;
    return applyToLog === undefined || mode === "halves" ? this.#options.passLimit : LOG_PASS_EVENTS;
  }

  /** The pass without bringing the events here; undefined when it takes more than that. */
  async #applyToLog(
    feed: Feed,
    transaction: Transaction,
    begun: BegunPass,
    upTo: number,
    mode: PassMode,
  ): Promise<Done | undefined> {
    const { position: after, watermark, up_to: end, min_timestamp: from, max_timestamp: to, more } = begun;
    if (feed.applyToLog === undefined || feed.accepts !== undefined) return undefined;
    if (begun.held || begun.handled_ahead !== null || mode === "halves") return undefined;
    if (end === null || from === null || to === null) return undefined;
    const stretch = { after, upTo: Math.min(end, upTo), from: new Date(from), to: new Date(to) };
    const processed = await feed.applyToLog(transaction, stretch);
    return { processed, deadLettered: 0, retrying: [], position: more ? end : watermark, caughtUp: !more };
  }

  /** The pass with the events brought here and handed to the handler. */
  async #handleHere(
    feed: Feed,
    transaction: Transaction,
    begun: BegunPass,
    upTo: number,
    mode: PassMode,
    trace: PassTrace,
  ): Promise<Done> {
    const { name, eventTypes } = feed.handler;
    const page = await readNextAppends(transaction, begun, {
      after: begun.position,
      limit: this.#options.passLimit,
      ...(eventTypes === "all" ? {} : { types: eventTypes }),
    });
    const handled = new Set(begun.handled_ahead ?? []);
    const own = page.events.filter(
      (event) =>
        event.position <= upTo &&
        (feed.accepts === undefined || feed.accepts(event)) &&
        !handled.has(event.position),
    );
    const events = begun.held && own.length > 0 ? await parkHeld(transaction, name, own) : own;
    trace.events = events.length;
    noteInto(trace)(events.length === 1 ? events[0] : undefined);
    const target = this.target(feed);
    let isolated: Pick<IsolationResult, "deadLettered" | "retrying"> = { deadLettered: 0, retrying: [] };
    if (events.length > 0 && mode === "whole") {
      await feed.handler.handle(events, target.context(transaction));
    } else if (events.length > 0) {
      const onAttempt = noteInto(trace);
      isolated = await handleIsolated({
        ...target,
        events,
        transaction,
        hasFailed: mode === "halves",
        cutOffPasses: this.#failed.cutOff(feed.checkpoint),
        onAttempt,
      });
    }
    const { deadLettered, retrying } = isolated;
    const { position, caughtUp } = page;
    return { processed: events.length, deadLettered, retrying, position, caughtUp };
  }

  /** How the feed's dead letters are handled: beside none of its passes. */
  target(feed: Feed): DeadLetterTarget {
    return {
      handler: feed.handler,
      retries: this.#options.retries,
      context: (transaction) => asyncContext(feed.handler.name, transaction, this.#options.store),
      lock: async (transaction) => {
        await transaction.query("SELECT FROM synap.checkpoints WHERE handler = $1 FOR UPDATE", [
          feed.checkpoint,
        ]);
      },
    };
  }

  async #release(
    feed: Feed,
    transaction: Transaction,
    position: number,
    trace: PassTrace,
  ): Promise<HandlerPass | undefined> {
    const streams = await releasedStreams(transaction, feed.handler.name);
    const stream = streams.find((each) => feed.accepts === undefined || feed.accepts(each));
    if (stream === undefined) return undefined;
    const cutOffPasses = this.#failed.cutOff(feed.checkpoint);
    const target = { ...this.target(feed), cutOffPasses, onAttempt: noteInto(trace) };
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

function idle(position: number): HandlerPass {
  return { status: "done", processed: 0, deadLettered: 0, retrying: [], position, caughtUp: true };
}
