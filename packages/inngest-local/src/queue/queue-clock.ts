import { uptime } from "node:os";

/** The clocks of a machine. */
export interface MachineClocks {
  /** Time of day in milliseconds since 1970. NTP or an operator may set it forward or back at any time. */
  wall(): number;
  /** Monotonic clock in milliseconds. It does not advance while the machine sleeps. */
  steady(): number;
  /** Milliseconds since the machine was started, including sleep. Monotonic, but may be coarse. */
  sinceBoot(): number;
}

const SYSTEM_CLOCKS: MachineClocks = {
  wall: () => Date.now(),
  steady: () => performance.now(),
  sinceBoot: () => uptime() * 1_000,
};

/** Interval between checks for sleep of the machine: the time since boot costs more to read than the steady clock. */
const SLEEP_CHECK_MS = 1_000;
/** Smallest difference that counts as sleep, because the time since boot is coarse. */
const MIN_SLEEP_MS = 1_000;

/**
 * Clock of the queue: all times that it stores are this clock's, in milliseconds since 1970.
 *
 * It starts as the wall clock and then advances by elapsed time alone, including sleep, so that setting the wall clock
 * delays nothing and makes nothing expire early. After a restart it starts no earlier than the last time recorded in the
 * queue, because the wall clock may have been set back meanwhile.
 */
export class QueueClock {
  readonly #clocks: MachineClocks;
  readonly #start: number;
  readonly #steadyAtStart: number;
  readonly #bootedAtStart: number;
  #asleep = 0;
  #sleepCheckedAt = 0;

  /** @param seenAt the latest time recorded in this queue, by its own clock */
  constructor(seenAt: number, clocks: MachineClocks = SYSTEM_CLOCKS) {
    this.#clocks = clocks;
    this.#start = Math.max(clocks.wall(), seenAt);
    this.#steadyAtStart = clocks.steady();
    this.#bootedAtStart = clocks.sinceBoot();
  }

  /** Returns whole milliseconds, never less than before. */
  now(): number {
    const awake = this.#clocks.steady() - this.#steadyAtStart;
    if (awake - this.#sleepCheckedAt >= SLEEP_CHECK_MS) {
      this.#sleepCheckedAt = awake;
      const asleep = this.#clocks.sinceBoot() - this.#bootedAtStart - awake;
      if (asleep > this.#asleep + MIN_SLEEP_MS) this.#asleep = asleep;
    }
    return Math.floor(this.#start + awake + this.#asleep);
  }

  /** Returns the time of day, for cron times and dates. */
  wall(): number {
    return this.#clocks.wall();
  }

  /** Returns the lead of this clock over the wall clock, in milliseconds; negative when the wall clock was set forward. */
  aheadOfWall(): number {
    return this.now() - this.wall();
  }

  /** Converts a time of the wall clock, as it is set now, into a time of this clock. */
  atWall(time: number): number {
    return Math.floor(time + this.aheadOfWall());
  }
}
