/**
 * A counter that can be waited for. A waiter names the count it has seen, so a wake-up between looking and
 * waiting is never lost.
 */
export class WakeSignal {
  #count = 0;
  readonly #waiters = new Set<() => void>();

  /** How often it was woken. */
  get count(): number {
    return this.#count;
  }

  /** Lets every waiter go on. */
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
