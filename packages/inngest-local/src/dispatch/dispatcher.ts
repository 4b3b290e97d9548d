import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Broker } from "../broker.ts";
import type { AppClient } from "../http/app-client.ts";
import { type DueJob, type FreeSlots, readDueJobs, readNextDueTime } from "../queue/due-jobs.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import { endSleep } from "../steps/end-sleep.ts";
import { AppPauses } from "./app-pauses.ts";
import { CallSlots } from "./call-slots.ts";
import { type CallContext, makeCall } from "./make-call.ts";
import { persist } from "./persist.ts";
import { WakeTimer } from "./wake-timer.ts";

const DATABASE_RETRY_MS = 1_000;
/** Polling interval of an idle queue, in case a wake-up was missed. */
const IDLE_POLL_MS = 60_000;

const UNAUTHORIZED =
  "the app answers 401: it has another signing key, or its clock differs by more than five minutes; its calls stay queued";

interface DispatcherSettings {
  readonly instance: string;
  readonly maxCallsInFlight: number;
  /** Called when an app refused the connection: it may restart with other functions. */
  readonly onRefused: (url: string) => void;
}

/**
 * Executes due jobs: calls and timers. It sleeps until it is woken by new work in this process or by the next due time.
 * Jobs in flight are tracked in memory, so those unfinished when the process dies are due again.
 */
export class Dispatcher {
  readonly #broker: Broker;
  readonly #calling: CallContext;
  readonly #settings: DispatcherSettings;
  readonly #slots = new CallSlots();
  readonly #pauses = new AppPauses();
  readonly #inFlight = new Map<number, { job: DueJob; done: Promise<void> }>();
  /** Runs whose function is being called. One such call at a time, so that its code never runs twice concurrently. */
  readonly #calledRuns = new Set<string>();
  readonly #abort = new AbortController();
  readonly #timer: WakeTimer;
  #nextDueUnknown = true;
  /** True if every due job is in flight, so that no job waits for the end of another. */
  #drained = false;
  #running = false;
  #again = false;
  #stopping = false;

  constructor(broker: Broker, client: AppClient, settings: DispatcherSettings) {
    this.#broker = broker;
    this.#settings = settings;
    const { clock } = broker;
    this.#timer = new WakeTimer(clock, () => {
      this.#nextDueUnknown = true;
      this.wake();
    });
    this.#calling = {
      client,
      signal: this.#abort.signal,
      onAnswered: (url) => this.#pauses.answered(url),
      onRefused: (url) => {
        this.#timer.set(this.#pauses.refused(url, clock.now()));
        settings.onRefused(url);
      },
      onUnauthorized: (url) => {
        // Only the first 401 in a row is logged.
        if (!this.#pauses.has(url)) broker.logger.error({ url }, UNAUTHORIZED);
        this.#timer.set(this.#pauses.refused(url, clock.now()));
      },
    };
    // Every call in flight adds a listener.
    setMaxListeners(0, this.#abort.signal);
  }

  /** Starts due jobs, now or at `dueAt`. */
  wake(dueAt?: number): void {
    if (this.#stopping) return;
    if (dueAt !== undefined) {
      // A millisecond later at the earliest: a call to be repeated at once is in flight until it has ended.
      this.#timer.set(Math.max(dueAt, this.#broker.clock.now() + 1));
      return;
    }
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  /**
   * Starts newly queued first calls without reading them from the queue, if nothing else was due and slots are free. The
   * rest is read from the queue.
   */
  offer(jobs: readonly DueJob[]): void {
    const direct = this.#drained && !this.#running && !this.#stopping;
    const left = direct ? jobs.filter((job) => !this.#startOffered(job)) : jobs;
    if (left.length === 0) return;
    this.#drained = false;
    // If every slot is taken, the end of the call that frees one wakes the dispatcher.
    if (left.some((job) => this.#hasFreeSlot(job))) this.wake();
  }

  runningJobs(): Iterable<number> {
    return this.#inFlight.keys();
  }

  /** Returns the ids of the runs that an app is working on. */
  calledRuns(): Set<string> {
    return new Set([...this.#inFlight.values()].map(({ job }) => job.runId));
  }

  /** Starts no more jobs, and waits at most `deadline` milliseconds for those in flight. The rest stays queued. */
  async stop(deadline: number): Promise<void> {
    this.#stopping = true;
    this.#timer.cancel();
    const finished = Promise.all([...this.#inFlight.values()].map(({ done }) => done));
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
      let readAt = this.#broker.clock.now();
      while (this.#again && !this.#stopping) {
        this.#again = false;
        readAt = await this.#startDueJobs();
      }
      if (this.#nextDueUnknown && !this.#stopping) {
        this.#nextDueUnknown = false;
        // Since the last read and not since now: jobs that came due in between were not read. This is common, because
        // timers fire up to a millisecond early.
        const next = await readNextDueTime(this.#broker.database, readAt);
        this.#timer.set(next ?? this.#broker.clock.now() + IDLE_POLL_MS);
        const pauseEnd = this.#pauses.nextEnd(readAt);
        if (pauseEnd !== undefined) this.#timer.set(pauseEnd);
      }
    } catch (error) {
      this.#broker.logger.error({ error }, "the queue could not be read; trying again");
      this.#nextDueUnknown = true;
      this.#timer.set(this.#broker.clock.now() + DATABASE_RETRY_MS);
    } finally {
      this.#running = false;
      if (this.#again && !this.#stopping) void this.#run();
    }
  }

  /** Starts every due job that has a free slot. @returns the time at which due jobs were last read */
  async #startDueJobs(): Promise<number> {
    const full = new Set<string>();
    for (;;) {
      const limit = this.#settings.maxCallsInFlight - this.#inFlight.size;
      const now = this.#broker.clock.now();
      this.#drained = false;
      if (limit <= 0 || this.#stopping) return now;
      const free = this.#free(full, limit, now);
      const due = await readDueJobs(this.#broker.database, {
        instance: this.#settings.instance,
        free,
        inFlight: this.#inFlight.keys(),
        limit,
        now,
      });
      const bodies = await this.#broker.bodies.load(
        due.filter(({ functionId }) => functionId !== "").map(({ eventId }) => eventId),
      );
      if (this.#stopping) return now;
      let started = 0;
      let newlyBlocked = false;
      let skipped = false;
      for (const job of due) {
        if (job.stepId === "step" && this.#calledRuns.has(job.runId)) {
          skipped = true;
          continue;
        }
        const config = this.#broker.registry.get(job.functionId);
        const release = config === undefined ? () => undefined : this.#slots.acquire(config);
        if (release === undefined) {
          newlyBlocked = true;
          full.add(job.functionId);
          continue;
        }
        started += 1;
        this.#execute(job, config, bodies, release);
      }
      if (newlyBlocked || (started > 0 && due.length >= limit)) continue;
      const all = free.length > this.#broker.registry.all().length && due.length < limit;
      this.#drained = all && !skipped && hadSlotsLeft(free, due);
      return now;
    }
  }

  #hasFreeSlot(job: DueJob): boolean {
    const config = this.#broker.registry.get(job.functionId);
    return config === undefined || this.#slots.free(config) !== undefined;
  }

  #startOffered(job: DueJob): boolean {
    const config = this.#broker.registry.get(job.functionId);
    const body = this.#broker.bodies.get(job.eventId);
    if (config === undefined || body === undefined || this.#inFlight.has(job.id)) return false;
    if (this.#inFlight.size >= this.#settings.maxCallsInFlight) return false;
    if (this.#pauses.isPaused(config.url, this.#broker.clock.now())) return false;
    const release = this.#slots.acquire(config);
    if (release === undefined) return false;
    this.#execute(job, config, new Map([[job.eventId, body]]), release);
    return true;
  }

  #free(full: ReadonlySet<string>, limit: number, now: number): FreeSlots[] {
    const functions = this.#broker.registry.all().flatMap((config) => {
      if (full.has(config.id) || this.#pauses.isPaused(config.url, now)) return [];
      const free = this.#slots.free(config);
      return free === undefined ? [] : [{ ...free, slots: Math.min(free.slots, limit) }];
    });
    return [{ id: "", slots: limit }, ...functions];
  }

  #execute(
    job: DueJob,
    config: FunctionConfig | undefined,
    bodies: ReadonlyMap<string, string>,
    release: () => void,
  ): void {
    const main = config !== undefined && job.stepId === "step";
    if (main) this.#calledRuns.add(job.runId);
    const { logger } = this.#broker;
    const work =
      config === undefined
        ? persist(() => endSleep(this.#broker, job), logger, this.#abort.signal)
        : makeCall(this.#broker, this.#calling, job, config, bodies);
    let unsettled = false;
    const done = work
      .catch((error: unknown) => {
        if (this.#abort.signal.aborted) return;
        unsettled = true;
        this.#broker.logger.error(
          { error, runId: job.runId },
          "a call could not be completed; it will be repeated",
        );
        return sleep(DATABASE_RETRY_MS);
      })
      .finally(() => {
        this.#inFlight.delete(job.id);
        this.#broker.backlog.ended(job);
        if (main) this.#calledRuns.delete(job.runId);
        release();
        if (unsettled || !this.#drained) this.wake();
      });
    this.#inFlight.set(job.id, { job, done });
  }
}

/** Checks that every function had a free slot left over, so that no due job was left unread. */
function hadSlotsLeft(free: readonly FreeSlots[], due: readonly DueJob[]): boolean {
  return free.every(({ id, slots }) => due.filter(({ functionId }) => functionId === id).length < slots);
}
