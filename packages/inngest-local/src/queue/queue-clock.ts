import { uptime } from "node:os";

/** The clocks of a machine. */
export interface MachineClocks {
  /** Milliseconds since 1970. A person or NTP may set it forward or back at any moment. */
  wall(): number;
  /** Milliseconds since some moment. Nobody can set it; it stands still while the machine sleeps. */
  steady(): number;
  /** Milliseconds since the machine was started, time asleep included. Nobody can set it; it may be coarse. */
  sinceBoot(): number;
}

const OF_THIS_MACHINE: MachineClocks = {
  wall: () => Date.now(),
  steady: () => performance.now(),
  sinceBoot: () => uptime() * 1_000,
};

/** Interval at which sleep of the machine is looked for: the time since boot costs more to read than the steady clock. */
const LOOK_FOR_SLEEP_MS = 1_000;
/** The time since boot is coarse, so a difference below this is none. */
const SHORTEST_SLEEP_MS = 1_000;

/**
 * The clock by which the queue counts: all moments that it stores are this clock's, in milliseconds since 1970.
 *
 * It starts as the wall clock and then advances by elapsed time alone, time asleep included. Setting the wall clock back
 * makes nothing wait, and setting it forward makes nothing expire or come early. After a restart it goes on no earlier
 * than where the queue was last seen, for the wall clock may have been set back meanwhile.
 */
export class QueueClock {
  readonly #clocks: MachineClocks;
  readonly #start: number;
  readonly #steadyAtStart: number;
  readonly #bootedAtStart: number;
  #asleep = 0;
  #looked = 0;

  /** @param seenAt the latest moment that this queue is known to have seen, by its own clock */
  constructor(seenAt: number, clocks: MachineClocks = OF_THIS_MACHINE) {
    this.#clocks = clocks;
    this.#start = Math.max(clocks.wall(), seenAt);
    this.#steadyAtStart = clocks.steady();
    this.#bootedAtStart = clocks.sinceBoot();
  }

  /** Whole milliseconds. Never less than it was before. */
  now(): number {
    const awake = this.#clocks.steady() - this.#steadyAtStart;
    if (awake - this.#looked >= LOOK_FOR_SLEEP_MS) {
      this.#looked = awake;
      const asleep = this.#clocks.sinceBoot() - this.#bootedAtStart - awake;
      if (asleep > this.#asleep + SHORTEST_SLEEP_MS) this.#asleep = asleep;
    }
    return Math.floor(this.#start + awake + this.#asleep);
  }

  /** The time of day: for what is meant by the calendar, such as cron times and dates. */
  wall(): number {
    return this.#clocks.wall();
  }

  /** Lead of this clock over the wall clock, in milliseconds; negative when the wall clock was set forward. */
  aheadOfWall(): number {
    return this.now() - this.wall();
  }

  /** The moment of this clock at which the wall clock, as it is set now, will show a time. */
  atWall(time: number): number {
    return Math.floor(time + this.aheadOfWall());
  }
}
