/**
 * Refused registrations. An app reports only that it could not register; this log distinguishes a refusal from an app
 * that could not reach the broker.
 */
export class RefusalLog {
  #count = 0;
  #reason = "";

  add(reason: string): void {
    this.#count += 1;
    this.#reason = reason;
  }

  /** Returns a mark for `since`. */
  mark(): number {
    return this.#count;
  }

  /** Returns the reason of the last refusal after the mark, or undefined when there was none. */
  since(mark: number): string | undefined {
    return this.#count > mark ? this.#reason : undefined;
  }
}
