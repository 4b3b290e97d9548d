import { describeStream, type ExpectedVersion, type StreamName } from "./stream-name.ts";

/** A stream is not at the version that the sender expected: somebody else appended first. Load it again and decide anew. */
export class OptimisticLockError extends Error {
  override readonly name = "OptimisticLockError";
  readonly code = "OPTIMISTIC_LOCK";
  readonly stream: StreamName;
  readonly expected: ExpectedVersion;
  /** The version that the stream is at; 0 when it has no events. */
  readonly actual: number;

  constructor(stream: StreamName, expected: ExpectedVersion, actual: number, options?: ErrorOptions) {
    super(`Stream ${describeStream(stream)} is at version ${actual}, expected ${expected}.`, options);
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The stream was closed and takes no more events. It can be read as before. */
export class StreamClosedError extends Error {
  override readonly name = "StreamClosedError";
  readonly code = "STREAM_CLOSED";
  readonly stream: StreamName;

  constructor(stream: StreamName, options?: ErrorOptions) {
    super(`Stream ${describeStream(stream)} is closed.`, options);
    this.stream = stream;
  }
}

/**
 * An append waited too long for a lock, nearly always that of a stream to which another transaction has written without
 * ending. Nothing was stored: append again later. The status of the API names the session that holds the lock.
 */
export class StreamLockedError extends Error {
  override readonly name = "StreamLockedError";
  readonly code = "STREAM_LOCKED";
  /** Those that are locked; none if the lock was freed meanwhile, or is no stream's (a day that is being compressed). */
  readonly streams: readonly StreamName[];

  constructor(streams: readonly StreamName[], options?: ErrorOptions) {
    const [first] = streams;
    const others = streams.length > 1 ? ` and ${streams.length - 1} more are` : " is";
    const what =
      first === undefined
        ? "Another transaction holds a lock that the append needs"
        : `Stream ${describeStream(first)}${others} locked by another transaction`;
    super(`${what}; nothing was stored. Try again.`, options);
    this.streams = streams;
  }
}

/** There is no such stream, so it can't be closed. */
export class StreamNotFoundError extends Error {
  override readonly name = "StreamNotFoundError";
  readonly code = "STREAM_NOT_FOUND";
  readonly stream: StreamName;

  constructor(stream: StreamName, options?: ErrorOptions) {
    super(`Stream ${describeStream(stream)} does not exist.`, options);
    this.stream = stream;
  }
}

/**
 * An event's id is taken by an event with another type, stream or data, or its idempotency key was used in another
 * stream: this is not the same event sent again.
 */
export class EventIdConflictError extends Error {
  override readonly name = "EventIdConflictError";
  readonly code = "EVENT_ID_CONFLICT";
  /** The id of the event that was refused. */
  readonly id: string;

  constructor(id: string, options?: ErrorOptions) {
    super(`The id or the idempotency key of event ${id} is taken by another event.`, options);
    this.id = id;
  }
}
