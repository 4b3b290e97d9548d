/** There is no dead letter of this number. */
export class DeadLetterNotFoundError extends Error {
  readonly code = "DEAD_LETTER_NOT_FOUND";
  override readonly name = "DeadLetterNotFoundError";
  constructor(id: number) {
    super(`There is no dead letter ${id}.`);
  }
}

/** The dead letter has been dealt with already. */
export class DeadLetterResolvedError extends Error {
  readonly code = "DEAD_LETTER_RESOLVED";
  override readonly name = "DeadLetterResolvedError";
  constructor(id: number, status: string) {
    super(`Dead letter ${id} is ${status} already.`);
  }
}

/** The dead letter can't be retried here: its handler isn't registered. */
export class DeadLetterNotRetryableError extends Error {
  readonly code = "DEAD_LETTER_NOT_RETRYABLE";
  override readonly name = "DeadLetterNotRetryableError";
  constructor(id: number, handler: string) {
    super(
      `Dead letter ${id} can't be retried here: "${handler}" is not a handler of this process. Retry it where it is.`,
    );
  }
}
