import type { Database } from "@synap/database";
import { type Backoff, backoffDelay, defaultBackoff } from "./backoff.ts";
import type { EventDispatcher } from "./event-dispatcher.ts";
import { HandlerPassError } from "./handler-errors.ts";
import { WakeSignal } from "./wake-signal.ts";

/** The channel on which every append notifies. */
const APPENDS_CHANNEL = "synap_appends";

/**
 * A projection that is up to date begins a pass this often at the most, in milliseconds: under a steady stream of small
 * appends, passes of a few events would cost more than the events.
 */
const PROJECTION_INTERVAL_MS = 100;

/** Where a runner says what it does. A pino logger is one. */
export interface HandlerLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What a {@link HandlerRunner} is made of. */
export interface HandlerRunnerOptions {
  readonly dispatcher: Pick<
    EventDispatcher,
    "catchUp" | "followers" | "isProjection" | "registry" | "releaseInline"
  >;
  readonly database: Pick<Database, "listen">;
  readonly logger: HandlerLogger;
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
  readonly #pollIntervalMs: number;
  readonly #backoff: Backoff;
  readonly #appended = new WakeSignal();
  readonly #stopped = new WakeSignal();
  #stopping = false;
  #work: readonly Promise<void>[] = [];

  constructor(options: HandlerRunnerOptions) {
    this.#options = options;
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
        if (failures > 0) this.#options.logger.info({ handler }, `${handler} works again`);
        failures = 0;
        if (pass.status === "done" && pass.deadLettered > 0) {
          const { deadLettered, position } = pass;
          this.#options.logger.warn(
            { handler, deadLettered, position },
            `${handler} set ${deadLettered} events aside`,
          );
        }
        if (pass.status === "done" && !pass.caughtUp) continue;
        await this.#appended.waitAfter(seen, this.#pollIntervalMs);
        const rest = began + PROJECTION_INTERVAL_MS - performance.now();
        if (rest > 0 && this.#options.dispatcher.isProjection(handler)) {
          await this.#stopped.waitAfter(0, rest);
        }
      } catch (error) {
        failures += 1;
        const waitMs = backoffDelay(failures, this.#backoff);
        this.#report(handler, error, waitMs);
        // An append must not cut the wait short: with thousands a second there would be no backoff at all.
        await this.#stopped.waitAfter(0, waitMs);
      }
    }
  }

  #report(handler: string, error: unknown, waitMs: number): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof HandlerPassError && error.transient) {
      this.#options.logger.warn({ handler, waitMs }, `${reason}; trying again in ${waitMs} ms`);
    } else {
      this.#options.logger.error({ handler, waitMs, err: error }, `${reason}; trying again in ${waitMs} ms`);
    }
  }

  /** Inline handlers run in appends; only what a resolved dead letter left behind is nobody's append. */
  async #releaseInline(): Promise<void> {
    if (this.#options.dispatcher.registry.inline.length === 0) return;
    while (!this.#stopping) {
      try {
        await this.#options.dispatcher.releaseInline();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.logger.warn({}, `cannot go on behind a dead letter yet: ${reason}`);
      }
      await this.#stopped.waitAfter(0, Math.max(5_000, this.#pollIntervalMs));
    }
  }

  async #listen(): Promise<void> {
    let failures = 0;
    while (!this.#stopping) {
      try {
        const unlisten = await this.#options.database.listen(APPENDS_CHANNEL, () => this.wake());
        await this.#stopped.waitAfter(0);
        await unlisten();
        return;
      } catch (error) {
        failures += 1;
        const waitMs = backoffDelay(failures, this.#backoff);
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.logger.warn({ waitMs }, `cannot listen for appends, polling until then: ${reason}`);
        await this.#stopped.waitAfter(0, waitMs);
      }
    }
  }
}
