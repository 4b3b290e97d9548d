import type { Database, ReportLogger } from "@synap/database";
import { APPENDS_CHANNEL, guardedLogger } from "@synap/database/internal";
import { thrownFacts } from "@synap/types/internal";
import { type Backoff, backoffDelay, defaultBackoff } from "./backoff.ts";
import type { EventDispatcher } from "./event-dispatcher.ts";
import { HandlerPassError } from "./handler-errors.ts";
import type { HandlerPass } from "./log-follower.ts";
import { WakeSignal } from "./wake-signal.ts";

/**
 * A handler that is up to date rests for so many times as long as its pass took, woken or not: under a steady stream of
 * small appends, passes of a few events would cost more than the events. So no handler takes more than half of a
 * connection for being up to date, and the busier the database is, the more a pass finds to do. The embedded engine has
 * one session, which appends need as well: six handlers there may not take half of it each.
 */
const REST_FACTOR = { server: 1, embedded: 4 };

/** It doesn't rest for longer, in milliseconds. */
const LONGEST_REST_MS = 500;

/** So many events that are tried again get a line in the log after each pass. */
const MAX_REPORTED = 5;

/** What a {@link HandlerRunner} is made of. */
export interface HandlerRunnerOptions {
  readonly dispatcher: Pick<
    EventDispatcher,
    "catchUp" | "followers" | "notePassFailure" | "registry" | "releaseInline"
  >;
  readonly database: Pick<Database, "listen" | "engine">;
  readonly logger: ReportLogger;
  /** The longest time without looking, in milliseconds, should a notification get lost. Default: 1000. */
  readonly pollIntervalMs?: number;
  /** The wait after failed passes. Default: 1 s, doubling up to 30 s. */
  readonly backoff?: Backoff;
}

/**
 * Keeps the asynchronous handlers up to date for as long as the process lives: one loop per handler, woken by
 * the database's notification of every append, with polling as the net.
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

  /** Starts the loops and returns at once. The database may be away: the loops wait for it. */
  start(): void {
    const { followers } = this.#options.dispatcher;
    this.#work = [this.#listen(), this.#releaseInline(), ...followers.map((name) => this.#follow(name))];
  }

  /** Makes every handler look at the log now. */
  wake(): void {
    this.#appended.wake();
  }

  /** Stops: waits for the passes in flight, and begins no other. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopped.wake();
    this.#appended.wake();
    await Promise.all(this.#work);
    this.#work = [];
  }

  async #follow(handler: string): Promise<void> {
    let failures = 0;
    while (!this.#stopping) {
      const seen = this.#appended.count;
      const began = performance.now();
      try {
        const pass = await this.#options.dispatcher.catchUp(handler);
        const ended = performance.now();
        if (failures > 0) this.#logger.info({ handler }, `${handler} works again`);
        failures = 0;
        if (pass.status === "done") this.#reportEvents(handler, pass);
        if (pass.status === "done" && !pass.caughtUp) continue;
        const retryInMs = pass.status === "done" ? pass.retryInMs : undefined;
        await this.#appended.waitAfter(seen, Math.min(this.#pollIntervalMs, retryInMs ?? Infinity));
        const rest =
          Math.min((ended - began) * REST_FACTOR[this.#options.database.engine], LONGEST_REST_MS) -
          (performance.now() - ended);
        if (rest > 0) await this.#stopped.waitAfter(0, rest);
      } catch (error) {
        failures += 1;
        const waitMs = backoffDelay(failures, this.#backoff);
        this.#report(handler, error, waitMs);
        await this.#note(error, waitMs);
        // An append must not cut the wait short: with thousands a second there would be no backoff at all.
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
      const message = `${handler} set ${deadLettered} events aside`;
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

  /** For the status. When the database is away, that is what the status shows anyway. */
  async #note(error: unknown, waitMs: number): Promise<void> {
    if (!(error instanceof HandlerPassError)) return;
    try {
      await this.#options.dispatcher.notePassFailure(error, waitMs);
    } catch (fault) {
      const { handler } = error;
      this.#logger.warn({ handler }, `the failure could not be recorded: ${thrownFacts(fault).message}`);
    }
  }

  /** Inline handlers run in appends; only what a resolved dead letter left behind is nobody's append. */
  async #releaseInline(): Promise<void> {
    if (this.#options.dispatcher.registry.inline.length === 0) return;
    while (!this.#stopping) {
      try {
        await this.#options.dispatcher.releaseInline();
      } catch (error) {
        const reason = thrownFacts(error).message;
        this.#logger.warn({}, `cannot go on behind a dead letter yet: ${reason}`);
      }
      await this.#stopped.waitAfter(0, Math.max(5_000, this.#pollIntervalMs));
    }
  }

  async #listen(): Promise<void> {
    let failures = 0;
    while (!this.#stopping) {
      try {
        const unlisten = await this.#options.database.listen(APPENDS_CHANNEL, () => this.wake());
        // Nobody heard of what was appended until now.
        this.wake();
        await this.#stopped.waitAfter(0);
        await unlisten();
        return;
      } catch (error) {
        failures += 1;
        const waitMs = backoffDelay(failures, this.#backoff);
        const reason = thrownFacts(error).message;
        this.#logger.warn({ waitMs }, `cannot listen for appends, polling until then: ${reason}`);
        await this.#stopped.waitAfter(0, waitMs);
      }
    }
  }
}
