import { isLockTimeout } from "./database-errors.ts";

/** Lets writers wait for locks without taking every connection with them. */
export interface LockWaits {
  /**
   * Runs work whose transaction may have to wait for a lock, and may be run again when it failed for that.
   * @param work is given the longest time to wait for a lock, in milliseconds; undefined: the session's
   * @throws the lock timeout, when the lock was not to be had
   */
  run<T>(work: (lockTimeout: number | undefined) => Promise<T>): Promise<T>;
}

/** Where nobody else can hold a lock. */
export const NO_LOCK_WAITS: LockWaits = { run: (work) => work(undefined) };

/** Longer than appends to the same stream wait for one another, in milliseconds. */
const FIRST_WAIT = 100;

/**
 * A writer waits shortly at first. If the lock is held for longer, it gives its connection back, and only so many of these
 * writers wait in the database at a time; the others wait for their turn here. So streams that somebody has locked, few
 * or many, leave connections for all others.
 * @param lockTimeout how long a writer waits in all, in milliseconds; 0: for as long as it takes
 */
export function createLockWaits(lockTimeout: number, atATime: number): LockWaits {
  let waiting = 0;
  const turns: (() => void)[] = [];

  /** Answers whether the turn came in time. */
  async function takeTurn(limit: number): Promise<boolean> {
    if (waiting < atATime) {
      waiting += 1;
      return true;
    }
    return new Promise((resolve) => {
      const take = () => {
        clearTimeout(timer);
        resolve(true);
      };
      turns.push(take);
      const giveUp = () => {
        turns.splice(turns.indexOf(take), 1);
        resolve(false);
      };
      const timer = lockTimeout === 0 ? undefined : setTimeout(giveUp, limit);
    });
  }

  function endTurn(): void {
    const next = turns.shift();
    if (next === undefined) waiting -= 1;
    else next();
  }

  return {
    run: async (work) => {
      if (lockTimeout !== 0 && lockTimeout <= FIRST_WAIT) return work(undefined);
      const start = performance.now();
      try {
        return await work(FIRST_WAIT);
      } catch (error) {
        const left = () => Math.max(1, Math.round(lockTimeout - (performance.now() - start)));
        if (!isLockTimeout(error) || !(await takeTurn(left()))) throw error;
        try {
          return await work(lockTimeout === 0 ? 0 : left());
        } finally {
          endTurn();
        }
      }
    },
  };
}
