/**
 * A counter of wake-ups to wait for. A waiter passes the count it has seen, so a wake-up between reading the count and
 * waiting is never lost.
 */
export class WakeSignal {
  #count = 0;
  readonly #waiters = new Set<() => void>();

  /** The number of wake-ups so far. */
  get count(): number {
    return this.#count;
  }

  /** Resolves every waiter. */
  wake(): void {
    this.#count += 1;
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** Resolves when the count exceeds `seen`, or after `timeoutMs` milliseconds if given. */
  waitAfter(seen: number, timeoutMs?: number): Promise<void> {
    if (this.#count > seen) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      this.#waiters.add(done);
      if (timeoutMs !== undefined) timer = setTimeout(done, timeoutMs);
    });
  }
}
