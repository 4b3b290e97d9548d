import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import type { Logger } from "../options.ts";
import type { QueueDatabase, QueueSession } from "./database.ts";
import { Pruner, type Retention } from "./prune.ts";
import type { QueueClock } from "./queue-clock.ts";

/**
 * Makes `instance` the owner of this queue.
 *
 * @returns the latest time recorded in the queue, by its own clock; 0 when it is new
 */
export async function takeOver(session: QueueSession, instance: string): Promise<number> {
  const rows = await session.query<{ seen_at: number | null }>(
    `WITH taken AS (
       INSERT INTO inngest_local.owner (instance) VALUES ($1)
       ON CONFLICT (one) DO UPDATE SET instance = EXCLUDED.instance
       RETURNING seen_at
     )
     SELECT greatest(
       (SELECT seen_at FROM taken),
       (SELECT max(received_at) FROM inngest_local.events),
       (SELECT max(created_at) FROM inngest_local.runs)
     )::float8 AS seen_at`,
    [instance],
  );
  return rows[0]?.seen_at ?? 0;
}

/** Records the current time of the queue's clock. @returns false when another instance has taken over the queue */
export async function recordTime(session: QueueSession, instance: string, now: number): Promise<boolean> {
  const rows = await session.query(
    `UPDATE inngest_local.owner SET seen_at = $2::bigint WHERE instance = $1 RETURNING 1 AS one`,
    [instance, now],
  );
  return rows.length > 0;
}

const BUSY_INTERVAL_MS = 5_000;
const IDLE_INTERVAL_MS = 60_000;
/** Number of passes at the busy interval after the last activity: what ended last can't be pruned at once. */
const BUSY_PASSES = 3;

/** Prunes the queue at intervals, and detects that another broker has taken it over. */
export class Maintenance {
  readonly #database: QueueDatabase;
  readonly #clock: QueueClock;
  readonly #instance: string;
  readonly #logger: Logger;
  readonly #pruner: Pruner;
  readonly #onLost: () => void;
  readonly #onPass: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #pass: Promise<void> = Promise.resolve();
  #busyPassesLeft = BUSY_PASSES;
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

  /** Resolves when no pass is running. */
  async finished(): Promise<void> {
    await this.#pass;
  }

  /** Returns to the busy interval. */
  noteActivity(): void {
    const idle = this.#busyPassesLeft === 0;
    this.#busyPassesLeft = BUSY_PASSES;
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
      this.#busyPassesLeft > 0 ? BUSY_INTERVAL_MS : IDLE_INTERVAL_MS,
    );
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    try {
      if (!(await recordTime(this.#database, this.#instance, this.#clock.now()))) {
        this.stop();
        this.#onLost();
        return;
      }
      this.#busyPassesLeft = Math.max(this.#busyPassesLeft - 1, 0);
      await this.#onPass();
      let more = true;
      while (more && !this.#stopped) {
        more = await this.#pruner.prune(this.#clock.now());
        await yieldToEventLoop();
      }
    } catch (error) {
      this.#busyPassesLeft = BUSY_PASSES;
      this.#logger.warn({ error }, "maintenance of the queue failed; it will be tried again");
    }
  }
}
