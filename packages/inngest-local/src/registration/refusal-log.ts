/**
 * The registrations that were refused. An app only says that it could not register; whether that was our doing, or the
 * app could not reach us, is known here.
 */
export class RefusalLog {
  #count = 0;
  #reason = "";

  add(reason: string): void {
    this.#count += 1;
    this.#reason = reason;
  }

  /** A mark for `since`. */
  mark(): number {
    return this.#count;
  }

  /** The reason of the last refusal after the mark was taken, or undefined when there was none. */
  since(mark: number): string | undefined {
    return this.#count > mark ? this.#reason : undefined;
  }
}
