/** Thrown when there is no dead letter with this id. */
export class DeadLetterNotFoundError extends Error {
  readonly code = "DEAD_LETTER_NOT_FOUND";
  override readonly name = "DeadLetterNotFoundError";
  constructor(id: number) {
    super(`There is no dead letter ${id}.`);
  }
}

/** Thrown when the dead letter has already been retried or skipped. */
export class DeadLetterResolvedError extends Error {
  readonly code = "DEAD_LETTER_RESOLVED";
  override readonly name = "DeadLetterResolvedError";
  constructor(id: number, status: string) {
    super(`Dead letter ${id} is already ${status}.`);
  }
}

/** Thrown when the dead letter's handler isn't registered in this process. */
export class DeadLetterNotRetryableError extends Error {
  readonly code = "DEAD_LETTER_NOT_RETRYABLE";
  override readonly name = "DeadLetterNotRetryableError";
  constructor(id: number, handler: string) {
    super(
      `Dead letter ${id} can't be retried here: its handler "${handler}" is not registered in this process. Retry it in one where it is.`,
    );
  }
}
