/** Thrown when the data of a subject must not be erased, because somebody has put it on hold. */
export class SubjectHeldError extends Error {
  readonly code = "SUBJECT_HELD";
  override readonly name = "SubjectHeldError";
  readonly subject: string;

  constructor(subject: string, { by, reason }: { readonly by: string; readonly reason: string }) {
    super(`The data of "${subject}" is on hold by ${by}: ${reason}. It was not erased.`);
    this.subject = subject;
  }
}

/** Thrown when there is nothing to do for a subject: it has no key, it is not on hold, or its data is erased already. */
export class NothingToEraseError extends Error {
  readonly code = "NOTHING_TO_ERASE";
  override readonly name = "NothingToEraseError";

  constructor(reason: string) {
    super(reason);
  }
}
