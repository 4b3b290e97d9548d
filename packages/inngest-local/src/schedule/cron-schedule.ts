import type { Cron } from "croner";

/** A cron trigger of a function. */
export interface CronTrigger {
  readonly functionId: string;
  readonly pattern: string;
  readonly cron: Cron;
}

/** Longest timeout: the wall clock may be set meanwhile, and timers don't advance while the machine sleeps. */
const MAX_TIMEOUT_MS = 60_000;
/** Maximum time by which a timer may fire early, in milliseconds. */
const TOLERANCE_MS = 50;

/**
 * Starts functions at their cron times, by the wall clock. Times that pass while the process is not running are skipped.
 * When the clock is set forward, each function that is due by then starts once; when it is set back, the times repeat.
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

  /** Replaces all triggers. */
  replace(triggers: readonly CronTrigger[]): void {
    this.stop();
    for (const trigger of triggers)
      this.#schedule(trigger, this.#wall(), this.#generation, this.#timers.length);
  }

  /** Cancels all triggers. */
  stop(): void {
    this.#generation += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #schedule(trigger: CronTrigger, after: number, generation: number, slot: number): void {
    const next = trigger.cron.nextRun(new Date(after));
    if (next === null) return;
    const set = this.#wall();
    const wait = Math.min(Math.max(next.getTime() - set, 0), MAX_TIMEOUT_MS);
    const timer = setTimeout(() => {
      if (generation !== this.#generation) return;
      const now = this.#wall();
      if (now < next.getTime() - TOLERANCE_MS) {
        // Not due yet. If the clock was set back to before this timer was set, times before `next` repeat.
        this.#schedule(trigger, now < set ? now : after, generation, slot);
        return;
      }
      this.#fire(trigger, next);
      // A timer may fire early; the next search must start after the time that was fired.
      this.#schedule(trigger, Math.max(next.getTime(), now), generation, slot);
    }, wait);
    timer.unref();
    this.#timers[slot] = timer;
  }
}
