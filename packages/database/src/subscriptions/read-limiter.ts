import type { ReadAllPage, ReadAllRequest } from "../reading/read-all.ts";

interface WaitingRead {
  readonly start: () => void;
  readonly page: Promise<ReadAllPage>;
}

/**
 * Limits the concurrent reads of the subscriptions to one store. Further reads wait in the order of their requests, and a
 * request that equals a waiting one shares its page. A running read is not shared, because it may have begun before the
 * append that woke the later subscription. Subscribers must not modify the events they receive.
 */
export class ReadLimiter {
  readonly #max: number;
  readonly #waiting = new Map<string, WaitingRead>();
  #running = 0;

  /** @param max maximum number of concurrent reads */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * @param read reads from the store that all subscriptions with this limiter share
   * @param shown names the rows that `read` shows, if not every one: a page is shared with readers of the same rows only
   */
  read(
    request: Omit<ReadAllRequest, "transaction">,
    read: (request: ReadAllRequest) => Promise<ReadAllPage>,
    shown?: string,
  ): Promise<ReadAllPage> {
    const key = JSON.stringify([shown, request]);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting.page;
    let start = () => {};
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const page = started.then(() => read(request)).finally(() => this.#end());
    this.#waiting.set(key, { start, page });
    this.#admit();
    return page;
  }

  #end(): void {
    this.#running -= 1;
    this.#admit();
  }

  #admit(): void {
    for (const [key, { start }] of this.#waiting) {
      if (this.#running >= this.#max) return;
      this.#waiting.delete(key);
      this.#running += 1;
      start();
    }
  }
}
