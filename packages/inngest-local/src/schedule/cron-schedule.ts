import type { Cron } from "croner";

/** A function to be started by the clock. */
export interface CronTrigger {
  readonly functionId: string;
  readonly pattern: string;
  readonly cron: Cron;
}

/** Node's timers hold at most about 24.8 days. */
const LONGEST_TIMER = 2_000_000_000;

/**
 * Starts functions at their cron times. Only while the process runs: times that pass while it doesn't are not made up.
 */
export class CronSchedule {
  readonly #fire: (trigger: CronTrigger, scheduledAt: Date) => void;
  #timers: NodeJS.Timeout[] = [];
  #generation = 0;

  /** @param fire called once for each time of each trigger */
  constructor(fire: (trigger: CronTrigger, scheduledAt: Date) => void) {
    this.#fire = fire;
  }

  /** Replaces everything scheduled. */
  replace(triggers: readonly CronTrigger[]): void {
    this.stop();
    for (const trigger of triggers)
      this.#schedule(trigger, new Date(), this.#generation, this.#timers.length);
  }

  /** Schedules nothing any more. */
  stop(): void {
    this.#generation += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #schedule(trigger: CronTrigger, after: Date, generation: number, slot: number): void {
    const next = trigger.cron.nextRun(after);
    if (next === null) return;
    const wait = Math.max(next.getTime() - Date.now(), 0);
    const timer = setTimeout(
      () => {
        if (generation !== this.#generation) return;
        if (wait > LONGEST_TIMER) return this.#schedule(trigger, after, generation, slot);
        // A timer may ring a little early; the next search must start behind the time that is being fired.
        this.#fire(trigger, next);
        this.#schedule(trigger, new Date(Math.max(next.getTime(), Date.now())), generation, slot);
      },
      Math.min(wait, LONGEST_TIMER),
    );
    timer.unref();
    this.#timers[slot] = timer;
  }
}
