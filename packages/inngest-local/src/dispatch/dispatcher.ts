import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type DueJob, type FreeSlots, readDueJobs, readNextDueTime } from "../queue/due-jobs.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import type { StandIn } from "../stand-in.ts";
import { ringTimer } from "../steps/ring-timer.ts";
import { Alarm } from "./alarm.ts";
import type { AppClient } from "./app-client.ts";
import { AppPauses } from "./app-pauses.ts";
import { CallSlots } from "./call-slots.ts";
import { type Calling, makeCall } from "./make-call.ts";
import { persist } from "./persist.ts";

const DATABASE_AWAY = 1_000;
/** The net below the wake-ups: with nothing to wait for, the queue is looked at once a minute. */
const LOOK_AGAIN = 60_000;

const UNAUTHORIZED =
  "the app answers 401: it has another signing key, or its clock differs by more than five minutes; its calls wait";

interface DispatcherSettings {
  readonly instance: string;
  readonly maxCallsInFlight: number;
  /** Called when an app refused the connection: it may come back with other functions. */
  readonly onRefused: (url: string) => void;
}

/**
 * Carries out what is due: calls and timers. It sleeps until it is woken, by new work in this process or by the next
 * due time, and keeps in memory what it has begun. Whatever it hasn't finished when the process dies is due again.
 */
export class Dispatcher {
  readonly #standIn: StandIn;
  readonly #calling: Calling;
  readonly #settings: DispatcherSettings;
  readonly #slots = new CallSlots();
  readonly #pauses = new AppPauses();
  readonly #begun = new Map<number, { job: DueJob; done: Promise<void> }>();
  /** Runs whose function is being called: one such call at a time, or its code would run twice at once. */
  readonly #calledRuns = new Set<string>();
  readonly #abort = new AbortController();
  readonly #alarm: Alarm;
  #nextDueUnknown = true;
  /** Everything due has begun: an ended call then frees nothing that something waits for. */
  #drained = false;
  #running = false;
  #again = false;
  #stopping = false;

  constructor(standIn: StandIn, client: AppClient, settings: DispatcherSettings) {
    this.#standIn = standIn;
    this.#settings = settings;
    const { clock } = standIn;
    this.#alarm = new Alarm(clock, () => {
      this.#nextDueUnknown = true;
      this.wake();
    });
    this.#calling = {
      client,
      signal: this.#abort.signal,
      onAnswered: (url) => this.#pauses.answered(url),
      onRefused: (url) => {
        this.#alarm.set(this.#pauses.refused(url, clock.now()));
        settings.onRefused(url);
      },
      onUnauthorized: (url) => {
        // Logged once for each time it begins: it would be repeated with every call.
        if (!this.#pauses.has(url)) standIn.logger.error({ url }, UNAUTHORIZED);
        this.#alarm.set(this.#pauses.refused(url, clock.now()));
      },
    };
    // Every call in flight listens to it.
    setMaxListeners(0, this.#abort.signal);
  }

  /** Looks for due work, now or at `dueAt`. */
  wake(dueAt?: number): void {
    if (this.#stopping) return;
    if (dueAt !== undefined) {
      // Not in this very moment: a call that is to be made again at once still counts as begun until it has ended.
      this.#alarm.set(Math.max(dueAt, this.#standIn.clock.now() + 1));
      return;
    }
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  /**
   * Begins first calls that were queued a moment ago without reading them, as far as nothing else was due and slots
   * are free. For the rest the queue is read.
   */
  offer(jobs: readonly DueJob[]): void {
    const direct = this.#drained && !this.#running && !this.#stopping;
    const left = direct ? jobs.filter((job) => !this.#beginOffered(job)) : jobs;
    if (left.length === 0) return;
    this.#drained = false;
    // Where every slot is taken, the end of the call that frees one wakes us.
    if (left.some((job) => this.#hasFreeSlot(job))) this.wake();
  }

  runningJobs(): Iterable<number> {
    return this.#begun.keys();
  }

  /** The runs that an app is working on now. */
  calledRuns(): Set<string> {
    return new Set([...this.#begun.values()].map(({ job }) => job.runId));
  }

  /** Begins nothing more and waits for what has begun, at most `deadline` milliseconds. The rest stays queued. */
  async stop(deadline: number): Promise<void> {
    this.#stopping = true;
    this.#alarm.cancel();
    const finished = Promise.all([...this.#begun.values()].map(({ done }) => done));
    const timer = new AbortController();
    await Promise.race([
      finished,
      sleep(deadline, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    this.#abort.abort();
    await finished;
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      let looked = this.#standIn.clock.now();
      while (this.#again && !this.#stopping) {
        this.#again = false;
        looked = await this.#begin();
      }
      if (this.#nextDueUnknown && !this.#stopping) {
        this.#nextDueUnknown = false;
        // From the moment of the last look, not from now: what has come due since then was not among what it found. That
        // is often so, because timers ring up to a millisecond early.
        const next = await readNextDueTime(this.#standIn.database, looked);
        this.#alarm.set(next ?? this.#standIn.clock.now() + LOOK_AGAIN);
        const pauseEnd = this.#pauses.nextEnd(looked);
        if (pauseEnd !== undefined) this.#alarm.set(pauseEnd);
      }
    } catch (error) {
      this.#standIn.logger.error({ error }, "the queue could not be read; trying again");
      this.#nextDueUnknown = true;
      this.#alarm.set(this.#standIn.clock.now() + DATABASE_AWAY);
    } finally {
      this.#running = false;
      if (this.#again && !this.#stopping) void this.#run();
    }
  }

  /** Begins everything that is due and has a free slot. @returns the moment up to which what is due was looked for */
  async #begin(): Promise<number> {
    const full = new Set<string>();
    for (;;) {
      const limit = this.#settings.maxCallsInFlight - this.#begun.size;
      const now = this.#standIn.clock.now();
      this.#drained = false;
      if (limit <= 0 || this.#stopping) return now;
      const free = this.#free(full, limit, now);
      const due = await readDueJobs(this.#standIn.database, {
        instance: this.#settings.instance,
        free,
        begun: this.#begun.keys(),
        limit,
        now,
      });
      const bodies = await this.#standIn.bodies.load(
        due.filter(({ functionId }) => functionId !== "").map(({ eventId }) => eventId),
      );
      if (this.#stopping) return now;
      let begun = 0;
      let newlyBlocked = false;
      let passedOver = false;
      for (const job of due) {
        if (job.stepId === "step" && this.#calledRuns.has(job.runId)) {
          passedOver = true;
          continue;
        }
        const config = this.#standIn.registry.get(job.functionId);
        const release = config === undefined ? () => undefined : this.#slots.take(config);
        if (release === undefined) {
          newlyBlocked = true;
          full.add(job.functionId);
          continue;
        }
        begun += 1;
        this.#carryOut(job, config, bodies, release);
      }
      if (newlyBlocked || (begun > 0 && due.length >= limit)) continue;
      const all = free.length > this.#standIn.registry.all().length && due.length < limit;
      this.#drained = all && !passedOver && hadSlotsLeft(free, due);
      return now;
    }
  }

  #hasFreeSlot(job: DueJob): boolean {
    const config = this.#standIn.registry.get(job.functionId);
    return config === undefined || this.#slots.free(config) !== undefined;
  }

  #beginOffered(job: DueJob): boolean {
    const config = this.#standIn.registry.get(job.functionId);
    const body = this.#standIn.bodies.recall(job.eventId);
    if (config === undefined || body === undefined || this.#begun.has(job.id)) return false;
    if (this.#begun.size >= this.#settings.maxCallsInFlight) return false;
    if (this.#pauses.isPaused(config.url, this.#standIn.clock.now())) return false;
    const release = this.#slots.take(config);
    if (release === undefined) return false;
    this.#carryOut(job, config, new Map([[job.eventId, body]]), release);
    return true;
  }

  #free(full: ReadonlySet<string>, limit: number, now: number): FreeSlots[] {
    const functions = this.#standIn.registry.all().flatMap((config) => {
      if (full.has(config.id) || this.#pauses.isPaused(config.url, now)) return [];
      const free = this.#slots.free(config);
      return free === undefined ? [] : [{ ...free, slots: Math.min(free.slots, limit) }];
    });
    return [{ id: "", slots: limit }, ...functions];
  }

  #carryOut(
    job: DueJob,
    config: FunctionConfig | undefined,
    bodies: ReadonlyMap<string, string>,
    release: () => void,
  ): void {
    const main = config !== undefined && job.stepId === "step";
    if (main) this.#calledRuns.add(job.runId);
    const { logger } = this.#standIn;
    const work =
      config === undefined
        ? persist(() => ringTimer(this.#standIn, job), logger, this.#abort.signal)
        : makeCall(this.#standIn, this.#calling, job, config, bodies);
    let unsettled = false;
    const done = work
      .catch((error: unknown) => {
        if (this.#abort.signal.aborted) return;
        unsettled = true;
        this.#standIn.logger.error(
          { error, runId: job.runId },
          "a call could not be completed; it will be made again",
        );
        return sleep(DATABASE_AWAY);
      })
      .finally(() => {
        this.#begun.delete(job.id);
        this.#standIn.backlog.ended(job);
        if (main) this.#calledRuns.delete(job.runId);
        release();
        if (unsettled || !this.#drained) this.wake();
      });
    this.#begun.set(job.id, { job, done });
  }
}

/** Whether no more was due than could begin: every function had a free slot left over. */
function hadSlotsLeft(free: readonly FreeSlots[], due: readonly DueJob[]): boolean {
  return free.every(({ id, slots }) => due.filter(({ functionId }) => functionId === id).length < slots);
}
