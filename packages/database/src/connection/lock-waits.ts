import { isLockTimeout } from "./database-errors.ts";
import type { Transaction } from "./sql-session.ts";

/** Bounds the number of connections that wait for locks. */
export interface LockWaits {
  /** The lock timeout of work that others wait for, in milliseconds; undefined: that of the session. */
  readonly short: number | undefined;
  /**
   * Runs work whose transaction may wait for a lock, and runs it again after a short lock timeout.
   * @param work receives the lock timeout in milliseconds; undefined: that of the session
   * @throws the lock timeout when the lock could not be acquired
   */
  run<T>(work: (lockTimeout: number | undefined) => Promise<T>): Promise<T>;
}

/** For a database without other sessions, whose locks could be waited for. */
export const NO_LOCK_WAITS: LockWaits = {
  short: undefined,
  run: (work) => work(undefined),
};

/** First lock timeout, in milliseconds: longer than appends to the same stream usually wait for one another. */
const FIRST_TIMEOUT_MS = 100;

/**
 * Creates the lock waits of a server. A writer first waits briefly. If the lock is held for longer, the writer releases its
 * connection and waits in this process, and only a limited number of such writers wait in the database. So locked streams
 * leave connections for other work.
 * @param lockTimeout maximum total wait of a writer, in milliseconds; 0: no limit
 */
export function createLockWaits(lockTimeout: number, maxWaiting: number): LockWaits {
  let waiting = 0;
  const queue: (() => void)[] = [];

  /** Waits for one of the slots. Resolves with false after the timeout. */
  async function acquireSlot(limit: number): Promise<boolean> {
    if (waiting < maxWaiting) {
      waiting += 1;
      return true;
    }
    return new Promise((resolve) => {
      const admit = () => {
        clearTimeout(timer);
        resolve(true);
      };
      queue.push(admit);
      const onTimeout = () => {
        queue.splice(queue.indexOf(admit), 1);
        resolve(false);
      };
      const timer = lockTimeout === 0 ? undefined : setTimeout(onTimeout, limit);
    });
  }

  function releaseSlot(): void {
    const next = queue.shift();
    if (next === undefined) waiting -= 1;
    else next();
  }

  const short = lockTimeout !== 0 && lockTimeout <= FIRST_TIMEOUT_MS ? undefined : FIRST_TIMEOUT_MS;
  return {
    short,
    run: async (work) => {
      if (short === undefined) return work(undefined);
      const start = performance.now();
      try {
        return await work(short);
      } catch (error) {
        const left = () => Math.max(1, Math.round(lockTimeout - (performance.now() - start)));
        if (!isLockTimeout(error) || !(await acquireSlot(left()))) throw error;
        try {
          return await work(lockTimeout === 0 ? 0 : left());
        } finally {
          releaseSlot();
        }
      }
    },
  };
}

/**
 * SQL for a function call in a FROM clause that first sets the transaction's lock timeout from a parameter, in one round
 * trip. The setting is made before the function is called, because one of the arguments needs it.
 * @param write builds the statement from the SQL before the function's name and that argument
 */
export function withLockTimeout(
  write: (before: string, argument: string) => string,
  argument: string,
  parameter: string,
): string {
  return write(
    `set_config('lock_timeout', ${parameter}, true) AS setting, `,
    `CASE WHEN setting IS NOT NULL THEN ${argument} END`,
  );
}

/** Sets the lock timeout of the rest of a transaction, in milliseconds. */
export async function limitLockWaits(transaction: Transaction, lockTimeout: number): Promise<void> {
  await transaction.query("SELECT set_config('lock_timeout', $1, true)", [String(lockTimeout)]);
}
