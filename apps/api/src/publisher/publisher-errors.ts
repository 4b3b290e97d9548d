import { counted } from "@synap/types/internal";

/** The queue has no room for these events. Nothing of the request was accepted; try again later. */
export class PublisherFullError extends Error {
  override readonly name = "PublisherFullError";
  readonly code = "PUBLISHER_FULL";

  constructor(events: number, bytes: number) {
    super(
      `The publish queue is full: it holds ${counted(events, "event")} (${counted(bytes, "byte")}) for the broker.`,
    );
  }
}

/** The publisher is shutting down and accepts no more events. */
export class PublisherClosedError extends Error {
  override readonly name = "PublisherClosedError";
  readonly code = "PUBLISHER_CLOSED";

  constructor() {
    super("The publisher is shutting down.");
  }
}
