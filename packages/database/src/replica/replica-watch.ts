import { setTimeout as sleep } from "node:timers/promises";
import type { SqlSession } from "../connection/sql-session.ts";
import { withLimit } from "../server/time-limit.ts";
import { APPEND_POSITIONS, advanceHorizon, type Horizon, type SeenHorizon } from "./horizon.ts";

/** The state of the replica as a process knows it. */
export interface ReplicaState {
  /** True while reads go to the replica. */
  readonly inUse: boolean;
  /** Why they don't. */
  readonly reason?: string;
  /** Position up to which the replica is known to be complete. */
  readonly position: number;
  /** Milliseconds for which it had been behind the primary when that last answered; 0 when it has everything that the primary had then. */
  readonly lagMs: number;
}

export interface ReplicaWatchOptions {
  readonly primary: SqlSession;
  /** A connection to the replica of its own, so that it shows a silent server while reads wait. */
  readonly probe: () => Promise<SeenHorizon>;
  /** Time after which a replica that is behind is not used, in milliseconds. */
  readonly maxLag: number;
  /** Maximum wait for the answer of the primary, and for that to a probe, in milliseconds. */
  readonly maxSilence: number;
  /** Called when the replica begins or ceases to be used. */
  readonly onChange: (state: ReplicaState) => void;
}

/** Follows how far the replica has come, and decides if it is used. */
export interface ReplicaWatch {
  state(): ReplicaState;
  /** Notes a horizon that a server of the replica showed. @returns false if that server must not be read */
  saw(horizon: SeenHorizon): boolean;
  /** Notes that the replica could not be reached, or has been promoted. It is used again after it has been probed. */
  failed(reason: string): void;
  /**
   * Waits until the replica has replayed the appends up to a number. Moves the primary's horizon meanwhile.
   * @returns false when that took longer than the given milliseconds, or the replica is not used
   */
  reached(number: number, limit: number): Promise<boolean>;
  /** Waits as `reached` does for everything that the primary has now. */
  reachedEnd(limit: number): Promise<boolean>;
  /** Moves the primary's horizon and probes the replica. Never rejects. */
  look(): Promise<void>;
  close(): void;
}

/** Interval at which the replica is probed anyway, in milliseconds. */
const LOOK_MS = 1_000;
/** Pause between two looks while somebody waits, in milliseconds. */
const PURSUE_MS = 3;

const PROMOTED = "it is no standby: it has been promoted, or is the primary";
const OTHER_HISTORY =
  "it does not replay the history of the primary: another database, one that was restored, or a failover that it has not followed";

export function createReplicaWatch(options: ReplicaWatchOptions): ReplicaWatch {
  const { primary, maxLag, maxSilence } = options;
  let target: Horizon | undefined;
  let replayed = 0;
  /** The first horizon that the replica has not reached, and when the primary had it. */
  let unreached: { readonly number: number; readonly since: number } | undefined;
  let primaryAnsweredAt = 0;
  let fault: string | undefined = "it has not answered yet";
  let reported: boolean | undefined;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  // It stays what it was while the primary is away: nobody answers with more than the replica has.
  const lagMs = () => (unreached === undefined ? 0 : Math.max(0, primaryAnsweredAt - unreached.since));

  function state(): ReplicaState {
    const lag = lagMs();
    const late = lag > maxLag ? `it is ${Math.round(lag)} ms behind the primary` : undefined;
    const reason = fault ?? late;
    const position = (replayed + 1) * APPEND_POSITIONS - 1;
    return { inUse: reason === undefined, ...(reason !== undefined && { reason }), position, lagMs: lag };
  }

  function report(): void {
    const now = state();
    if (now.inUse === reported || isClosed) return;
    reported = now.inUse;
    options.onChange(now);
  }

  function expect(next: Horizon): void {
    primaryAnsweredAt = performance.now();
    if (target !== undefined && target.history !== next.history) {
      replayed = 0;
      unreached = undefined;
      fault = OTHER_HISTORY;
    }
    target = next;
    if (next.number > replayed) unreached ??= { number: next.number, since: primaryAnsweredAt };
  }

  function saw({ number, history, isStandby }: SeenHorizon): boolean {
    if (target === undefined) return false;
    fault = isStandby ? (history === target.history ? undefined : OTHER_HISTORY) : PROMOTED;
    if (fault === undefined) {
      replayed = Math.max(replayed, number);
      if (unreached !== undefined && replayed >= unreached.number) {
        unreached =
          target.number > replayed ? { number: target.number, since: performance.now() } : undefined;
      }
    }
    report();
    return fault === undefined;
  }

  function failed(reason: string): void {
    fault = reason;
    report();
  }

  async function lookOnce(): Promise<void> {
    // While the primary is away, the replica serves what it has.
    const next = await withLimit(advanceHorizon(primary), maxSilence).catch(() => undefined);
    if (next !== undefined) expect(next);
    try {
      saw(await withLimit(options.probe(), maxSilence));
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }

  function look(): Promise<void> {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function reached(number: number, limit: number): Promise<boolean> {
    const end = performance.now() + limit;
    // A look that is under way may have found that it is behind for too long.
    report();
    while (replayed < number) {
      if (!state().inUse || performance.now() >= end) return false;
      await look();
      if (replayed < number) await sleep(PURSUE_MS);
    }
    return state().inUse;
  }

  function schedule(): void {
    timer = setTimeout(() => {
      look().finally(() => {
        if (!isClosed) schedule();
      });
    }, LOOK_MS);
    timer.unref();
  }

  schedule();
  return {
    state,
    saw,
    failed,
    look,
    reached,
    reachedEnd: async (limit) => {
      // One that is under way may have begun before what the caller waits for.
      await looking;
      await look();
      return target !== undefined && reached(target.number, limit);
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
