import { counted } from "@synap/types/internal";

/** Thrown when the queue is full. No event of the request was accepted; try again later. */
export class PublisherFullError extends Error {
  override readonly name = "PublisherFullError";
  readonly code = "PUBLISHER_FULL";

  constructor(events: number, bytes: number) {
    super(
      `The publish queue is full: it holds ${counted(events, "event")} (${counted(bytes, "byte")}) for the broker.`,
    );
  }
}

/** Thrown when the publisher is shutting down. */
export class PublisherClosedError extends Error {
  override readonly name = "PublisherClosedError";
  readonly code = "PUBLISHER_CLOSED";

  constructor() {
    super("The publisher is shutting down.");
  }
}
