import type { ReadAllPage, ReadAllRequest } from "../reading/read-all.ts";

interface Turn {
  readonly begin: () => void;
  readonly page: Promise<ReadAllPage>;
}

/**
 * Bounds how many reads the subscriptions of one store have under way. Further reads wait in the order in which they
 * were asked for, and one that equals a waiting read shares its page. A read that has begun is shared with nobody: it
 * may have looked before the append that a later subscription was woken by. Subscribers must not change what they get.
 */
export class ReadTurns {
  readonly #max: number;
  readonly #waiting = new Map<string, Turn>();
  #running = 0;

  /** @param max how many reads run at a time */
  constructor(max: number) {
    this.#max = max;
  }

  /** @param read reads from the store that all subscriptions with these turns share */
  read(
    request: ReadAllRequest,
    read: (request: ReadAllRequest) => Promise<ReadAllPage>,
  ): Promise<ReadAllPage> {
    const { after, limit, maxBytes, types, aggregateType, stream } = request;
    const key = JSON.stringify([after, limit, maxBytes, types, aggregateType, stream]);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting.page;
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const page = begun.then(() => read(request)).finally(() => this.#end());
    this.#waiting.set(key, { begin, page });
    this.#admit();
    return page;
  }

  #end(): void {
    this.#running -= 1;
    this.#admit();
  }

  #admit(): void {
    for (const [key, { begin }] of this.#waiting) {
      if (this.#running >= this.#max) return;
      this.#waiting.delete(key);
      this.#running += 1;
      begin();
    }
  }
}
