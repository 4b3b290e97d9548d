import { randomUUID } from "node:crypto";
import type { Database, EventStore, Transaction } from "@synap/database";
import { saveCheckpoint, withTimeLimit } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import { clearPassFailure } from "../dispatch/failed-passes.ts";
import type { RetryPolicy } from "../dispatch/handle-isolated.ts";
import type { HandlerPass } from "../dispatch/handler-pass.ts";
import type { RetryingEvent } from "../dispatch/held-streams.ts";
import { parkHeld } from "../dispatch/inline-handlers.ts";
import { callHandler } from "../handler/handler-call.ts";
import { HandlerPassError, isTransientFailure } from "../handler/handler-errors.ts";
import { asError } from "../handler/thrown-error.ts";
import {
  type HeldEvents,
  holdFailed,
  readLateEvents,
  removeLate,
  withoutDeadLetters,
} from "./held-events.ts";
import { limited, type OpenedSink, openSink, rangeOf } from "./opened-sink.ts";
import { type ShownTypes, showTo } from "./show-to-sink.ts";
import type { Sink, SinkRange } from "./sink.ts";
import { SinkPositionError, SinkTimeoutError } from "./sink-errors.ts";
import { keepLease, type LeasedSink, leaveLease, takeLease } from "./sink-lease.ts";
import { type SortedEvents, sortByOutcome } from "./sort-by-outcome.ts";

/** The parts of a {@link SinkFollower}. */
export interface SinkFollowerOptions {
  readonly sink: Sink;
  readonly database: Database;
  readonly store: Pick<EventStore, "readAll">;
  readonly types: ShownTypes;
  readonly retries: RetryPolicy;
}

/** The result of applying a batch. */
interface Applied extends Pick<HeldEvents, "deadLettered" | "retrying"> {
  readonly processed: number;
}

/** Maximum number of late events of one call. */
const LATE_EVENTS = 200;

/** Time that a call may still take when the process stops, in milliseconds. */
const STOP_MS = 5_000;

/**
 * Runs the passes of one sink. A pass holds no transaction while it calls the destination, and a sink runs in one process at a time: the
 * one that has its lease.
 */
export class SinkFollower {
  readonly #options: SinkFollowerOptions;
  readonly #runner = randomUUID();
  #opened: OpenedSink | undefined;
  /** Ends the call that opens the destination. */
  #opening: AbortController | undefined;
  /** Maximum number of events of the next call: that of the sink, or fewer after a call took too long. */
  #batch: number;
  #running: Promise<HandlerPass> | undefined;
  #failures = 0;
  #stopped = false;
  #hasRun = false;

  constructor(options: SinkFollowerOptions) {
    this.#options = options;
    this.#batch = options.sink.batch;
  }

  get sink(): Sink {
    return this.#options.sink;
  }

  /**
   * Runs one pass: takes the lease, opens the destination if it is not open, and gives it the late events of one held stream or
   * the next events of the log.
   *
   * @throws HandlerPassError when the destination is unavailable or refuses to go on; call again after a while.
   */
  async catchUp(): Promise<HandlerPass> {
    if (this.#running !== undefined || this.#stopped) return { status: "busy" };
    this.#hasRun = true;
    this.#running = this.#pass();
    try {
      const pass = await this.#running;
      this.#failures = 0;
      // Slowly, or every other call would take too long.
      this.#batch = Math.min(this.sink.batch, Math.ceil(this.#batch * 1.1));
      return pass;
    } catch (thrown) {
      const cause = asError(thrown);
      this.#failures += 1;
      // The same batch would take as long the next time.
      if (cause instanceof SinkTimeoutError) this.#batch = Math.max(1, Math.floor(this.#batch / 2));
      // What has been applied is known only to the destination, which is asked when it is opened again.
      await this.#close();
      const { name } = this.sink;
      throw new HandlerPassError({
        handler: name,
        checkpoint: name,
        attempts: this.#failures,
        transient: cause instanceof SinkTimeoutError || isTransientFailure(cause),
        cause,
      });
    } finally {
      this.#running = undefined;
    }
  }

  /** Ends the running pass, closes the destination and leaves the sink to other processes. It never throws. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const running = this.#running?.catch(() => undefined);
    if (running !== undefined) {
      this.#opening?.abort();
      await withTimeLimit<unknown>(running, STOP_MS, () => this.#opened?.closing.abort());
      await running;
    }
    await this.#close();
    if (this.#hasRun) await leaveLease(this.#options.database, this.sink.name, this.#runner).catch(() => {});
  }

  async #pass(): Promise<HandlerPass> {
    const { database, store, sink } = this.#options;
    const leased = await this.#lease();
    if (leased === undefined || this.#stopped) {
      await this.#close();
      return { status: "busy" };
    }
    if (this.#opened !== undefined && this.#opened.epoch !== leased.epoch) await this.#close();
    if (this.#opened === undefined) {
      const opening = new AbortController();
      this.#opening = opening;
      this.#opened = await openSink(this.#options, leased, opening);
      this.#opening = undefined;
      // A slow destination may take longer than a lease to open, and another process has begun then.
      if (this.#stopped || (await this.#lease()) === undefined) {
        await this.#close();
        return { status: "busy" };
      }
    }
    const opened = this.#opened;
    const late = leased.held ? await this.#applyLate(opened) : undefined;
    if (late !== undefined) return late;
    const { position: after } = opened.checkpoint;
    const { events, position, watermark, caughtUp } = await store.readAll({
      after,
      limit: this.#batch,
      ...(sink.eventTypes !== "all" && { types: sink.eventTypes }),
      ...sink.filter,
    });
    if (watermark < after) throw new SinkPositionError(sink.name, after, `but the log ends at ${watermark}`);
    const wanted =
      after < opened.lastDeadLetter ? await withoutDeadLetters(database, sink.name, events) : events;
    const free = leased.held ? await this.#write(opened, (tx) => parkHeld(tx, sink.name, wanted)) : wanted;
    const applied = await this.#applyNext(opened, free, position);
    if (position !== leased.position || leased.failing) {
      await this.#write(opened, async (transaction) => {
        if (leased.failing) await clearPassFailure(transaction, sink.name);
        if (position !== leased.position) await saveCheckpoint(transaction, sink.name, position);
      });
    }
    const waits = [...applied.retrying, leased].flatMap(({ retryInMs }) => retryInMs || []);
    return {
      status: "done",
      ...applied,
      position,
      caughtUp,
      ...(waits.length > 0 && { retryInMs: Math.min(...waits) }),
    };
  }

  /** Applies the next events of the log. Repeats without those that fail, whose streams are held first. */
  async #applyNext(opened: OpenedSink, events: readonly StoredEvent[], to: number): Promise<Applied> {
    const { sink, retries } = this.#options;
    const { position: from } = opened.checkpoint;
    if (to === from) return { processed: 0, deadLettered: 0, retrying: [] };
    const retrying: RetryingEvent[] = [];
    let [rest, deadLettered] = [events, 0];
    for (;;) {
      const { applied, failed } = await this.#apply(opened, rest, { ...rangeOf(opened), from, to });
      const done = new Set(sink.promise.keepsCheckpoint ? failed.map(({ event }) => event) : applied);
      if (failed.length > 0) {
        const batch = rest;
        const held = await this.#write(opened, (tx) => holdFailed(tx, sink.name, batch, failed, retries));
        retrying.push(...held.retrying);
        deadLettered += held.deadLettered;
        for (const { event } of failed) done.add(event);
        for (const event of held.behind) done.add(event);
      } else if (sink.promise.keepsCheckpoint && applied.length === rest.length) break;
      rest = rest.filter((event) => !done.has(event));
      // Where the destination keeps the checkpoint, a failure has kept that from moving, so it is called again.
      if (rest.length === 0 && !sink.promise.keepsCheckpoint) break;
      if (done.size === 0)
        throw new SinkPositionError(sink.name, from, "and takes none of the events behind it");
      await this.#renew(opened);
    }
    opened.checkpoint = { position: to, epoch: opened.epochName };
    return { processed: events.length, deadLettered, retrying };
  }

  /** Applies events of a stream that was held; undefined if none may go on. */
  async #applyLate(opened: OpenedSink): Promise<HandlerPass | undefined> {
    const { database, sink, retries } = this.#options;
    const { position } = opened.checkpoint;
    const late = await readLateEvents(database, sink.name, position, Math.min(LATE_EVENTS, this.#batch));
    if (late === undefined) return undefined;
    const { stream, events, earlier } = late;
    const range = { ...rangeOf(opened), from: position, to: position, late: stream };
    let held: Pick<HeldEvents, "deadLettered" | "retrying"> = { deadLettered: 0, retrying: [] };
    // A call that fails on one event may have undone the others, so those before it come by themselves.
    let rest = events;
    for (let isOpen = true; isOpen; ) {
      const { failed } = rest.length === 0 ? { failed: [] } : await this.#apply(opened, rest, range);
      const [first] = failed;
      if (first !== undefined && first.event !== rest[0]) {
        rest = rest.slice(0, rest.indexOf(first.event));
        await this.#renew(opened);
        continue;
      }
      isOpen = false;
      const upTo = first?.event.position ?? rest.at(-1)?.position ?? 0;
      held = await this.#write(opened, async (transaction) => {
        await removeLate(transaction, sink.name, stream, upTo);
        return holdFailed(transaction, sink.name, first === undefined ? [] : rest, failed, retries, earlier);
      });
    }
    const { deadLettered, retrying } = held;
    return { status: "done", processed: rest.length, deadLettered, retrying, position, caughtUp: false };
  }

  /** Calls the destination, within its time limit. @throws SinkOutcomeError */
  async #apply(opened: OpenedSink, events: readonly StoredEvent[], range: SinkRange): Promise<SortedEvents> {
    const { sink, types } = this.#options;
    const { readable, unreadable } = await showTo(sink, events, types);
    if (unreadable !== undefined) return { applied: [], failed: [unreadable] };
    const outcomes = await limited(
      sink,
      callHandler(sink.name, readable, { types: { ...types, personalData: undefined } }, (given) =>
        opened.connection.apply(given, range),
      ),
      opened.closing,
    );
    return sortByOutcome(sink, events, outcomes, range.late !== undefined);
  }

  #lease(): Promise<LeasedSink | undefined> {
    return takeLease(this.#options.database, this.sink.name, this.#runner);
  }

  /** Renews the lease between two calls of a pass. @throws SinkPositionError if the sink was paused or taken */
  async #renew({ checkpoint }: OpenedSink): Promise<void> {
    if ((await this.#lease()) === undefined)
      throw new SinkPositionError(
        this.sink.name,
        checkpoint.position,
        "and the sink was paused, or another process has begun to run it",
      );
  }

  /**
   * Notes in the store what a call has shown, unless another process has begun to run the sink meanwhile, as when this one stood still: that may
   * have applied what failed here, which must not be held now.
   */
  #write<Result>(
    { checkpoint }: OpenedSink,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    const { database, sink } = this.#options;
    return database.transaction(async (transaction) => {
      if (!(await keepLease(transaction, sink.name, this.#runner)))
        throw new SinkPositionError(
          sink.name,
          checkpoint.position,
          "and another process has begun to run the sink",
        );
      return work(transaction);
    });
  }

  async #close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.connection.close();
  }
}
