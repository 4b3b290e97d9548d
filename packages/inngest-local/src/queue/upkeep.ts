import { setImmediate as breathe } from "node:timers/promises";
import type { Logger } from "../options.ts";
import type { QueueDatabase } from "./database.ts";
import { noteTime } from "./owner.ts";
import { Pruner, type Retention } from "./prune.ts";
import type { QueueClock } from "./queue-clock.ts";

const WHILE_BUSY = 5_000;
const WHILE_IDLE = 60_000;
/** After the last thing that happened, this many more passes come soon: what ended last can't be pruned at once. */
const PASSES_AFTER = 3;

/** Prunes the queue now and then, and notices when another stand-in has taken it over. */
export class Upkeep {
  readonly #database: QueueDatabase;
  readonly #clock: QueueClock;
  readonly #instance: string;
  readonly #logger: Logger;
  readonly #pruner: Pruner;
  readonly #onLost: () => void;
  readonly #onPass: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #pass: Promise<void> = Promise.resolve();
  #passesSoon = PASSES_AFTER;
  #stopped = false;

  constructor(
    database: QueueDatabase,
    clock: QueueClock,
    retention: Retention,
    instance: string,
    logger: Logger,
    onLost: () => void,
    onPass: () => Promise<void>,
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#instance = instance;
    this.#logger = logger;
    this.#pruner = new Pruner(database, retention);
    this.#onLost = onLost;
    this.#onPass = onPass;
  }

  start(): void {
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Resolves when no statement of it is under way. */
  async finished(): Promise<void> {
    await this.#pass;
  }

  /** While nothing happens the upkeep is rare. */
  somethingHappened(): void {
    const idle = this.#passesSoon === 0;
    this.#passesSoon = PASSES_AFTER;
    if (idle && !this.#stopped && this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#schedule();
    }
  }

  #schedule(): void {
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#pass = this.#run().finally(() => {
          if (!this.#stopped) this.#schedule();
        });
      },
      this.#passesSoon > 0 ? WHILE_BUSY : WHILE_IDLE,
    );
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    try {
      if (!(await noteTime(this.#database, this.#instance, this.#clock.now()))) {
        this.stop();
        this.#onLost();
        return;
      }
      this.#passesSoon = Math.max(this.#passesSoon - 1, 0);
      await this.#onPass();
      let more = true;
      while (more && !this.#stopped) {
        more = await this.#pruner.prune(this.#clock.now());
        await breathe();
      }
    } catch (error) {
      this.#passesSoon = PASSES_AFTER;
      this.#logger.warn({ error }, "the queue could not be looked after; trying again");
    }
  }
}
