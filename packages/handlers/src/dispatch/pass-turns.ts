/** Runs passes one at a time, in the order of requests. */
export class PassTurns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the pass when its turn comes, and returns its result or throws its error. */
  take<T>(pass: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(pass);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
