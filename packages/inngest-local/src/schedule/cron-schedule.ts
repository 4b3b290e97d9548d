import type { Cron } from "croner";

/** A function to be started by the clock. */
export interface CronTrigger {
  readonly functionId: string;
  readonly pattern: string;
  readonly cron: Cron;
}

/** A timer is never set for longer: the wall clock may be set meanwhile, and timers stand still while the machine sleeps. */
const LONGEST_TIMER = 60_000;
/** Most milliseconds by which a timer may fire early. */
const EARLY = 50;

/**
 * Starts functions at their cron times, by the wall clock. Only while the process runs: times that pass while it doesn't
 * are not made up. When the clock is set forward, what is due by then starts once; when it is set back, its times come
 * again.
 */
export class CronSchedule {
  readonly #wall: () => number;
  readonly #fire: (trigger: CronTrigger, scheduledAt: Date) => void;
  #timers: NodeJS.Timeout[] = [];
  #generation = 0;

  /**
   * @param wall the wall clock, in milliseconds since 1970
   * @param fire called once for each time of each trigger
   */
  constructor(wall: () => number, fire: (trigger: CronTrigger, scheduledAt: Date) => void) {
    this.#wall = wall;
    this.#fire = fire;
  }

  /** Replaces everything scheduled. */
  replace(triggers: readonly CronTrigger[]): void {
    this.stop();
    for (const trigger of triggers)
      this.#schedule(trigger, this.#wall(), this.#generation, this.#timers.length);
  }

  /** Schedules nothing any more. */
  stop(): void {
    this.#generation += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #schedule(trigger: CronTrigger, after: number, generation: number, slot: number): void {
    const next = trigger.cron.nextRun(new Date(after));
    if (next === null) return;
    const set = this.#wall();
    const wait = Math.min(Math.max(next.getTime() - set, 0), LONGEST_TIMER);
    const timer = setTimeout(() => {
      if (generation !== this.#generation) return;
      const now = this.#wall();
      if (now < next.getTime() - EARLY) {
        // Not yet. Set back to before this wait began, the clock has times before `next` again.
        this.#schedule(trigger, now < set ? now : after, generation, slot);
        return;
      }
      this.#fire(trigger, next);
      // A timer may ring a little early; the next search must start behind the time that was fired.
      this.#schedule(trigger, Math.max(next.getTime(), now), generation, slot);
    }, wait);
    timer.unref();
    this.#timers[slot] = timer;
  }
}
