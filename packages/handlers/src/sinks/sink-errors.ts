/**
 * Thrown when a batch does not follow the checkpoint of the destination: another process has written to it, its checkpoint was changed,
 * or the log ends before it.
 */
export class SinkPositionError extends Error {
  override readonly name = "SinkPositionError";
  readonly code = "SINK_POSITION";
  readonly sink: string;
  /** The checkpoint of the destination. */
  readonly checkpoint: number;

  constructor(sink: string, checkpoint: number, fault: string) {
    super(
      `The destination of the sink "${sink}" is at position ${checkpoint}, ${fault}. Nothing was written.`,
    );
    this.sink = sink;
    this.checkpoint = checkpoint;
  }
}

/**
 * Thrown when a destination has events of another store, or events that were lost when the store was restored: it would be a
 * mixture of both.
 */
export class SinkEpochError extends Error {
  override readonly name = "SinkEpochError";
  readonly code = "SINK_EPOCH";
  readonly sink: string;
  /** The epoch that the destination was written in. */
  readonly epoch: string;

  constructor(sink: string, epoch: string, fault: string) {
    super(
      `The destination of the sink "${sink}" was written in epoch ${epoch}, ${fault}. Nothing was written: empty the destination, ` +
        "and it is filled again from the beginning of the log.",
    );
    this.sink = sink;
    this.epoch = epoch;
  }
}

/** Thrown when no sink of the application has this name. */
export class SinkNotFoundError extends Error {
  override readonly name = "SinkNotFoundError";
  readonly code = "SINK_NOT_FOUND";

  constructor(sink: string, meant: string) {
    super(`There is no sink named "${sink}"${meant}.`);
  }
}

/** Thrown when a sink gives outcomes that are not those of the batch: a mistake in its code. Nothing of the batch counts as applied. */
export class SinkOutcomeError extends Error {
  override readonly name = "SinkOutcomeError";
  readonly code = "SINK_OUTCOME";
  readonly sink: string;

  constructor(sink: string, fault: string) {
    super(`The sink "${sink}" ${fault}.`);
    this.sink = sink;
  }
}

/** Thrown when a call of a destination takes longer than `timeoutMs`. */
export class SinkTimeoutError extends Error {
  override readonly name = "SinkTimeoutError";
  readonly code = "SINK_TIMEOUT";
  readonly sink: string;

  constructor(sink: string, timeoutMs: number) {
    super(`The destination of the sink "${sink}" did not answer within ${timeoutMs} ms.`);
    this.sink = sink;
  }
}
