/** Lets one pass begin when the last one has ended, in the order in which they were asked for. */
export class PassTurns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the pass when its turn has come. Answers and throws what the pass does. */
  take<T>(pass: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(pass);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
