import {
  type Database,
  type DeadLetterStream,
  type EventStore,
  MAX_READ_EVENTS,
  readNextAppends,
  saveCheckpoint,
  type Transaction,
} from "@synap/database";
import { type DeadLetterTarget, releaseChunk } from "../dead-letters/dead-letter-office.ts";
import { releasedStreams } from "../dead-letters/held-streams.ts";
import type { LogStretch } from "../projections/log-statement.ts";
import { type BegunPass, beginPass } from "./begin-pass.ts";
import type { HandlerContext, IEventHandler } from "./event-handler.ts";
import { HandlerPassError, isTransientFailure } from "./handler-errors.ts";
import { parkHeld } from "./inline-handlers.ts";
import { handleIsolated } from "./isolated-batch.ts";
import { PassTurns } from "./pass-turns.ts";
import { asError } from "./thrown-error.ts";

/** What one pass of an asynchronous handler did. */
export type HandlerPass =
  /** Another worker is running this handler at this moment. */
  | { readonly status: "busy" }
  | {
      readonly status: "done";
      /** Events handed to the handler, dead letters included. */
      readonly processed: number;
      readonly deadLettered: number;
      /** The checkpoint after the pass. */
      readonly position: number;
      /** Nothing was left below the watermark. */
      readonly caughtUp: boolean;
    };

/** A handler that follows the log, and where it keeps how far it has come. */
export interface Feed {
  /** Its dead letters are kept under its name. */
  readonly handler: IEventHandler;
  /** The name of its checkpoint. */
  readonly checkpoint: string;
  /** Which streams are its own; the others are somebody else's. Default: all. */
  readonly accepts?: ((stream: DeadLetterStream) => boolean) | undefined;
  /** The build of a projection that it feeds. */
  readonly build?:
    | { readonly projection: string; readonly build: number; readonly segments: number }
    | undefined;
  /**
   * Handles a stretch of the log without having the events brought here, and answers how many they were. Used unless
   * events have to be told apart: streams are held, a batch has failed.
   */
  readonly applyToLog?: ((transaction: Transaction, stretch: LogStretch) => Promise<number>) | undefined;
}

export interface LogFollowerOptions {
  readonly database: Database;
  readonly store: Pick<EventStore, "appendBatch">;
  readonly maxAttempts: number;
  readonly passLimit: number;
}

/** What a pass did, apart from its status. */
type Done = Omit<Extract<HandlerPass, { status: "done" }>, "status">;

/** The most events of a pass that leaves them where they are: a tenth of a second on the embedded engine. */
const LOG_PASS_EVENTS = 4_000;

/** Takes handlers along the log, from their checkpoints, pass by pass. */
export class LogFollower {
  readonly #options: LogFollowerOptions;
  /** Failed attempts at the batch behind a checkpoint. Lost with the process, which costs a few more attempts. */
  readonly #failures = new Map<string, { readonly after: number; readonly attempts: number }>();

  /** The embedded engine has one session: an append should wait for one pass there, and not for one of every handler. */
  readonly #turns: PassTurns | undefined;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
    this.#turns = options.database.engine === "embedded" ? new PassTurns() : undefined;
  }

  /**
   * One pass, in one transaction: locks the checkpoint, goes on with streams whose dead letters were resolved, or
   * else reads on up to the watermark, handles, saves the checkpoint.
   *
   * @throws HandlerPassError when the pass was rolled back; call again after a while.
   */
  async catchUp(feed: Feed): Promise<HandlerPass> {
    const began = { at: 0 };
    try {
      const inTransaction = () =>
        this.#options.database.transaction((transaction) =>
          this.#pass(feed, transaction, Number.MAX_SAFE_INTEGER, began),
        );
      const pass = await (this.#turns?.take(inTransaction) ?? inTransaction());
      if (pass.status === "done") this.#failures.delete(feed.checkpoint);
      return pass;
    } catch (thrown) {
      const cause = asError(thrown);
      const transient = isTransientFailure(cause);
      const attempts = this.#attemptsAfter(feed.checkpoint, began.at) + (transient ? 0 : 1);
      this.#failures.set(feed.checkpoint, { after: began.at, attempts });
      throw new HandlerPassError({ handler: feed.handler.name, attempts, transient, cause });
    }
  }

  /** The same in a transaction of the caller, who may hold the checkpoint's lock already; no further than `upTo`. */
  passInside(feed: Feed, transaction: Transaction, upTo: number): Promise<HandlerPass> {
    return this.#pass(feed, transaction, upTo, { at: 0 });
  }

  /** @param began is told the checkpoint, so that a failure can be counted for what comes after it */
  async #pass(
    feed: Feed,
    transaction: Transaction,
    upTo: number,
    began: { at: number },
  ): Promise<HandlerPass> {
    const { handler, checkpoint, build } = feed;
    const begun = await beginPass(transaction, {
      checkpoint,
      handler: handler.name,
      build,
      window: this.#window(feed),
    });
    if (begun === undefined) return { status: "busy" };
    began.at = begun.position;
    if (build !== undefined) {
      if (begun.feed !== "async" || begun.segments !== build.segments) {
        // The build was changed since somebody looked: this checkpoint belongs to nobody.
        await transaction.query("DELETE FROM synap.checkpoints WHERE handler = $1", [checkpoint]);
        return idle(begun.position);
      }
      if (begun.paused === true) return idle(begun.position);
    }
    if (begun.released) {
      const pass = await this.#release(feed, transaction, begun.position);
      if (pass !== undefined) return pass;
    }
    const read =
      (await this.#applyToLog(feed, transaction, begun, upTo)) ??
      (await this.#handleHere(feed, transaction, begun, upTo));
    const position = Math.min(read.position, upTo);
    if (position > begun.position) await saveCheckpoint(transaction, checkpoint, position);
    return { ...read, status: "done", position };
  }

  /** How far to look ahead: a reader of few events looks further, or it would need a pass for every page of others. */
  #window({ handler, checkpoint, applyToLog }: Feed): number {
    if (handler.eventTypes !== "all") return MAX_READ_EVENTS;
    const hasFailed = this.#failures.has(checkpoint);
    return applyToLog === undefined || hasFailed ? this.#options.passLimit : LOG_PASS_EVENTS;
  }

  /** The pass without bringing the events here; undefined when it takes more than that. */
  async #applyToLog(
    feed: Feed,
    transaction: Transaction,
    begun: BegunPass,
    upTo: number,
  ): Promise<Done | undefined> {
    const { position: after, watermark, up_to: end, min_timestamp: from, max_timestamp: to, more } = begun;
    if (feed.applyToLog === undefined || feed.accepts !== undefined) return undefined;
    if (begun.held || begun.handled_ahead !== null || this.#failures.has(feed.checkpoint)) return undefined;
    if (end === null || from === null || to === null) return undefined;
    const stretch = { after, upTo: Math.min(end, upTo), from: new Date(from), to: new Date(to) };
    const processed = await feed.applyToLog(transaction, stretch);
    return { processed, deadLettered: 0, position: more ? end : watermark, caughtUp: !more };
  }

  /** The pass with the events brought here and handed to the handler. */
  async #handleHere(feed: Feed, transaction: Transaction, begun: BegunPass, upTo: number): Promise<Done> {
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
    const attempts = this.#attemptsAfter(feed.checkpoint, begun.position);
    const { context, handler } = this.target(feed);
    let deadLettered = 0;
    if (events.length > 0 && attempts < this.#options.maxAttempts) {
      await handler.handle(events, context(transaction));
    } else if (events.length > 0) {
      ({ deadLettered } = await handleIsolated({ handler, events, transaction, context, attempts }));
    }
    return { processed: events.length, deadLettered, position: page.position, caughtUp: page.caughtUp };
  }

  /** How the feed's dead letters are handled: beside none of its passes. */
  target(feed: Feed): Pick<DeadLetterTarget, "handler" | "context" | "lock"> {
    return {
      handler: feed.handler,
      context: (transaction) => this.#context(transaction),
      lock: async (transaction) => {
        await transaction.query("SELECT FROM synap.checkpoints WHERE handler = $1 FOR UPDATE", [
          feed.checkpoint,
        ]);
      },
    };
  }

  async #release(feed: Feed, transaction: Transaction, position: number): Promise<HandlerPass | undefined> {
    const streams = await releasedStreams(transaction, feed.handler.name);
    const stream = streams.find((each) => feed.accepts === undefined || feed.accepts(each));
    if (stream === undefined) return undefined;
    const { handled, deadLettered } = await releaseChunk(this.target(feed), transaction, stream);
    return {
      status: "done",
      processed: handled + deadLettered,
      deadLettered,
      position,
      caughtUp: false,
    };
  }

  #context(transaction: Transaction): HandlerContext {
    const { store } = this.#options;
    return {
      transaction,
      append: (events) => store.appendBatch(events, { timestamps: "backfill", transaction }),
    };
  }

  #attemptsAfter(checkpoint: string, after: number): number {
    const failure = this.#failures.get(checkpoint);
    return failure?.after === after ? failure.attempts : 0;
  }
}

function idle(position: number): HandlerPass {
  return { status: "done", processed: 0, deadLettered: 0, position, caughtUp: true };
}
