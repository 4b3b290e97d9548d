import type { Database, ReportLogger } from "@synap/database";
import {
  APPENDS_CHANNEL,
  type Backoff,
  backoffDelay,
  defaultBackoff,
  guardedLogger,
} from "@synap/database/internal";
import { counted, thrownFacts } from "@synap/types/internal";
import type { HandlerPass } from "../dispatch/handler-pass.ts";
import { HandlerPassError } from "../handler/handler-errors.ts";
import type { EventDispatcher } from "./event-dispatcher.ts";
import { WakeSignal } from "./wake-signal.ts";

/**
 * Factor for the pause of an idle handler: after a pass it sleeps for this multiple of the pass duration, woken or not.
 * Under a steady stream of small appends, passes of a few events would cost more than the events. So no idle handler
 * uses more than half a connection, and the busier the database is, the more events a pass handles. The embedded engine
 * has one session, which appends need as well, so its handlers sleep longer.
 */
const IDLE_FACTOR = { server: 1, embedded: 4 };

/** Upper bound of that pause, in milliseconds. */
const MAX_IDLE_MS = 500;

/** Time between two counts of events for the compliance figures, in milliseconds. */
const COUNT_INTERVAL_MS = 5_000;

/** Time between two extensions of the hash chain, in milliseconds. A shorter one makes more blocks of fewer events. */
const CHAIN_INTERVAL_MS = 20_000;

/** Time between two steps to remove the copies of purged events, in milliseconds. */
const PURGE_INTERVAL_MS = 5_000;

/** Maximum number of retried events logged after each pass. */
const MAX_REPORTED = 5;

/** Options of {@link HandlerRunner}. */
export interface HandlerRunnerOptions {
  readonly dispatcher: Pick<
    EventDispatcher,
    | "catchUp"
    | "countEvents"
    | "extendChain"
    | "followers"
    | "recordPassFailure"
    | "registry"
    | "releaseInline"
    | "removePurgedCopies"
    | "stopSinks"
  >;
  readonly database: Pick<Database, "listen" | "engine">;
  readonly logger: ReportLogger;
  /** Poll interval in milliseconds, in case a notification is lost. Default: 1000. */
  readonly pollIntervalMs?: number;
  /** Backoff after failed passes. Default: 1 s, doubling up to 30 s. */
  readonly backoff?: Backoff;
}

/**
 * Runs the asynchronous handlers, projections and sinks until it is stopped: one loop each, woken by the database's notification
 * of every append, with polling as a fallback.
 */
export class HandlerRunner {
  readonly #options: HandlerRunnerOptions;
  readonly #logger: ReportLogger;
  readonly #pollIntervalMs: number;
  readonly #backoff: Backoff;
  readonly #appended = new WakeSignal();
  readonly #stopped = new WakeSignal();
  #stopping = false;
  #work: readonly Promise<void>[] = [];

  constructor(options: HandlerRunnerOptions) {
    this.#options = options;
    this.#logger = guardedLogger(options.logger);
    this.#pollIntervalMs = options.pollIntervalMs ?? 1_000;
    this.#backoff = options.backoff ?? defaultBackoff;
  }

  /** Starts the loops and returns at once. If the database is unavailable, the loops wait for it. */
  start(): void {
    const { followers } = this.#options.dispatcher;
    this.#work = [
      this.#listen(),
      this.#releaseInline(),
      this.#followLog(
        "count events for the compliance figures",
        () => this.#options.dispatcher.countEvents(),
        COUNT_INTERVAL_MS,
      ),
      this.#followLog(
        "extend the hash chain",
        () => this.#options.dispatcher.extendChain(),
        CHAIN_INTERVAL_MS,
      ),
      this.#followLog(
        "remove the copies of purged events",
        () => this.#removePurgedCopies(),
        PURGE_INTERVAL_MS,
      ),
      ...followers.map((name) => this.#follow(name)),
    ];
  }

  /** Wakes every idle handler. */
  wake(): void {
    this.#appended.wake();
  }

  /** Stops: waits for running passes, a few seconds at most for those of sinks, and starts no others. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopped.wake();
    this.#appended.wake();
    await Promise.all([...this.#work, this.#options.dispatcher.stopSinks()]);
    this.#work = [];
  }

  async #removePurgedCopies(): Promise<boolean> {
    await this.#options.dispatcher.removePurgedCopies();
    return false;
  }

  async #follow(handler: string): Promise<void> {
    let failures = 0;
    let isPoll = false;
    while (!this.#stopping) {
      const seen = this.#appended.count;
      const began = performance.now();
      try {
        // A poll looks for appends whose notification is lost, which a page that others have read may not have.
        const pass = await this.#options.dispatcher.catchUp(handler, isPoll ? undefined : seen);
        isPoll = false;
        const ended = performance.now();
        if (failures > 0) this.#logger.info({ handler }, `${handler} works again`);
        failures = 0;
        if (pass.status === "done") this.#reportEvents(handler, pass);
        if (pass.status === "done" && !pass.caughtUp) continue;
        const retryInMs = pass.status === "done" ? pass.retryInMs : undefined;
        await this.#appended.waitAfter(seen, Math.min(this.#pollIntervalMs, retryInMs ?? Infinity));
        isPoll = this.#appended.count === seen;
        const idleMs =
          Math.min((ended - began) * IDLE_FACTOR[this.#options.database.engine], MAX_IDLE_MS) -
          (performance.now() - ended);
        if (idleMs > 0) await this.#stopped.waitAfter(0, idleMs);
      } catch (error) {
        failures += 1;
        const waitMs = backoffDelay(failures, this.#backoff);
        this.#report(handler, error, waitMs);
        await this.#record(error, waitMs);
        // An append must not end the wait early: with thousands a second there would be no backoff.
        await this.#stopped.waitAfter(0, waitMs);
      }
    }
  }

  #report(handler: string, error: unknown, waitMs: number): void {
    const reason = thrownFacts(error).message;
    if (error instanceof HandlerPassError && error.transient) {
      this.#logger.warn({ handler, waitMs }, `${reason}; trying again in ${waitMs} ms`);
    } else {
      this.#logger.error({ handler, waitMs, err: error }, `${reason}; trying again in ${waitMs} ms`);
    }
  }

  #reportEvents(
    handler: string,
    { deadLettered, retrying, position }: Extract<HandlerPass, { status: "done" }>,
  ): void {
    if (deadLettered > 0) {
      const message = `${handler}: ${counted(deadLettered, "failed event became a dead letter", "failed events became dead letters")}`;
      this.#logger.warn({ handler, deadLettered, position }, message);
    }
    for (const { event, attempts, code, reason, retryInMs } of retrying.slice(0, MAX_REPORTED)) {
      const facts = {
        handler,
        eventId: event.id,
        position: event.position,
        attempts,
        code,
        waitMs: retryInMs,
      };
      const message = `${handler} failed on event ${event.id}: ${reason}; trying again in ${retryInMs} ms`;
      this.#logger.warn(facts, message);
    }
  }

  /** Records the failure for the status, which shows an unavailable database in any case. */
  async #record(error: unknown, waitMs: number): Promise<void> {
    if (!(error instanceof HandlerPassError)) return;
    try {
      await this.#options.dispatcher.recordPassFailure(error, waitMs);
    } catch (fault) {
      const { handler } = error;
      this.#logger.warn({ handler }, `the failure could not be recorded: ${thrownFacts(fault).message}`);
    }
  }

  /** Handles what is parked for inline handlers, which otherwise run in appends only: see `EventDispatcher.releaseInline`. */
  async #releaseInline(): Promise<void> {
    const { dispatcher } = this.#options;
    while (!this.#stopping) {
      try {
        await dispatcher.releaseInline();
        if (dispatcher.registry.inline.length === 0) return;
      } catch (error) {
        const reason = thrownFacts(error).message;
        this.#logger.warn({}, `cannot handle what is parked for inline handlers yet: ${reason}`);
      }
      await this.#stopped.waitAfter(0, this.#pollIntervalMs);
    }
  }

  /**
   * Takes steps behind the log now and then, in large ones, until none is left. On the embedded engine it pauses after each, so that
   * appends have most of its one session.
   */
  async #followLog(what: string, step: () => Promise<boolean>, intervalMs: number): Promise<void> {
    const pauses = this.#options.database.engine === "embedded" ? IDLE_FACTOR.embedded : 0;
    while (!this.#stopping) {
      try {
        for (let isMore = true; isMore && !this.#stopping; ) {
          const began = performance.now();
          isMore = await step();
          if (isMore && pauses > 0) await this.#stopped.waitAfter(0, (performance.now() - began) * pauses);
        }
      } catch (error) {
        this.#logger.warn({}, `cannot ${what} yet: ${thrownFacts(error).message}`);
      }
      await this.#stopped.waitAfter(0, Math.max(intervalMs, this.#pollIntervalMs));
    }
  }

  async #listen(): Promise<void> {
    let failures = 0;
    while (!this.#stopping) {
      try {
        const unlisten = await this.#options.database.listen(APPENDS_CHANNEL, () => this.wake());
        // Notifications of appends until now were missed.
        this.wake();
        await this.#stopped.waitAfter(0);
        await unlisten();
        return;
      } catch (error) {
        failures += 1;
        const waitMs = backoffDelay(failures, this.#backoff);
        const reason = thrownFacts(error).message;
        this.#logger.warn({ waitMs }, `cannot listen for appends, polling meanwhile: ${reason}`);
        await this.#stopped.waitAfter(0, waitMs);
      }
    }
  }
}
