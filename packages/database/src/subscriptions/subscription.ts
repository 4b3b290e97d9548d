import type { StoredEvent, StreamName } from "@synap/types";
import type { ReadTurns } from "./read-turns.ts";

/** Which events a subscription hands over, and how. `Name` is the union of the event types that `types` may name. */
export interface SubscriptionRequest<Name extends string = string> {
  /**
   * Where to begin: after this position (the checkpoint of an earlier batch), with the first event ever, or with what
   * is stored from now on. "now" is settled while the call runs: to be exact, begin after a position.
   */
  readonly from: number | "start" | "now";
  /** Only events of these types. */
  readonly types?: readonly Name[] | undefined;
  /** Only events of streams of this type. */
  readonly aggregateType?: string | undefined;
  /** Only the events of this stream. */
  readonly stream?: StreamName | undefined;
  /** Events of a batch at the most, 1 to 10,000. Default 500. */
  readonly batchSize?: number | undefined;
  /** A batch ends with the event that reaches so many bytes. Default, and the most: 4 MiB. */
  readonly maxBatchBytes?: number | undefined;
  /** How long to wait for a wake-up before looking anyway, in milliseconds. Default 1,000. */
  readonly pollInterval?: number | undefined;
  /** Its reads wait for their turn among those of other subscriptions to the same store, and are shared with equal ones. */
  readonly turns?: ReadTurns | undefined;
  /** Ends the subscription: the loop over it ends without an error. */
  readonly signal?: AbortSignal | undefined;
}

/** What a subscription hands over at a time. */
export interface EventBatch<Event extends StoredEvent = StoredEvent> {
  /** In the order of positions. Empty when the subscriber only needs to know how far it has come. */
  readonly events: readonly Event[];
  /** The checkpoint to save once the batch is dealt with: subscribing from here goes on right after it. */
  readonly position: number;
  /** Nothing was left to read when this batch was: from now on events come as they are stored. */
  readonly caughtUp: boolean;
}
