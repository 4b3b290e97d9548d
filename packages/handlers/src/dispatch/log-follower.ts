import {
  type Database,
  type DeadLetterStream,
  type EventStore,
  lockCheckpoint,
  saveCheckpoint,
  type Transaction,
} from "@synap/database";
import { type DeadLetterTarget, releaseChunk } from "../dead-letters/dead-letter-office.ts";
import { anyHeld, releasedStreams } from "../dead-letters/held-streams.ts";
import type { HandlerContext, IEventHandler } from "./event-handler.ts";
import { HandlerPassError, isTransientFailure } from "./handler-errors.ts";
import { parkHeld } from "./inline-handlers.ts";
import { handleIsolated } from "./isolated-batch.ts";

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
  /** Looks, with the checkpoint locked, whether the pass may take place, and where it really begins. */
  readonly begin?: ((transaction: Transaction, after: number) => Promise<FeedStart | undefined>) | undefined;
}

/** Where a pass begins. */
export interface FeedStart {
  readonly after: number;
  /** Events behind that position which have been handled already. */
  readonly handled?: ReadonlySet<number> | undefined;
}

export interface LogFollowerOptions {
  readonly database: Database;
  readonly store: Pick<EventStore, "readAll" | "appendBatch">;
  readonly maxAttempts: number;
  readonly passLimit: number;
}

/** Takes handlers along the log, from their checkpoints, pass by pass. */
export class LogFollower {
  readonly #options: LogFollowerOptions;
  /** Failed attempts at the batch behind a checkpoint. Lost with the process, which costs a few more attempts. */
  readonly #failures = new Map<string, { readonly after: number; readonly attempts: number }>();

  constructor(options: LogFollowerOptions) {
    this.#options = options;
  }

  /**
   * One pass, in one transaction: locks the checkpoint, goes on with streams whose dead letters were resolved, or
   * else reads on up to the watermark, handles, saves the checkpoint.
   *
   * @throws HandlerPassError when the pass was rolled back; call again after a while.
   */
  async catchUp(feed: Feed): Promise<HandlerPass> {
    let after = 0;
    try {
      const pass = await this.#options.database.transaction(async (transaction) => {
        const checkpoint = await lockCheckpoint(transaction, feed.checkpoint);
        if (checkpoint === undefined) return { status: "busy" } as const;
        after = checkpoint;
        return await this.passInside(feed, transaction, checkpoint);
      });
      if (pass.status === "done") this.#failures.delete(feed.checkpoint);
      return pass;
    } catch (cause) {
      const transient = isTransientFailure(cause);
      const attempts = this.#attemptsAfter(feed.checkpoint, after) + (transient ? 0 : 1);
      this.#failures.set(feed.checkpoint, { after, attempts });
      throw new HandlerPassError({ handler: feed.handler.name, attempts, transient, cause });
    }
  }

  /** The same in a transaction of the caller, who holds the checkpoint's lock; no further than `upTo`, if given. */
  async passInside(
    feed: Feed,
    transaction: Transaction,
    checkpoint: number,
    upTo = Number.MAX_SAFE_INTEGER,
  ): Promise<HandlerPass> {
    const start =
      feed.begin === undefined ? { after: checkpoint } : await feed.begin(transaction, checkpoint);
    if (start === undefined) return idle(checkpoint);
    const { name, eventTypes } = feed.handler;
    const { held, released } = await anyHeld(transaction, [name]);
    if (released) {
      const pass = await this.#release(feed, transaction, start.after);
      if (pass !== undefined) return pass;
    }
    const page = await this.#options.store.readAll({
      after: start.after,
      limit: this.#options.passLimit,
      ...(eventTypes === "all" ? {} : { types: eventTypes }),
      transaction,
    });
    const own = page.events.filter(
      (event) =>
        event.position <= upTo &&
        (feed.accepts === undefined || feed.accepts(event)) &&
        start.handled?.has(event.position) !== true,
    );
    const events = held && own.length > 0 ? await parkHeld(transaction, name, own) : own;
    const attempts = this.#attemptsAfter(feed.checkpoint, checkpoint);
    const { context, handler } = this.target(feed);
    let deadLettered = 0;
    if (events.length > 0 && attempts < this.#options.maxAttempts) {
      await handler.handle(events, context(transaction));
    } else if (events.length > 0) {
      ({ deadLettered } = await handleIsolated({ handler, events, transaction, context, attempts }));
    }
    const position = Math.min(page.position, upTo);
    if (position > checkpoint) await saveCheckpoint(transaction, feed.checkpoint, position);
    return {
      status: "done",
      processed: events.length,
      deadLettered,
      position,
      caughtUp: page.caughtUp,
    };
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
