import type { StoredEvent, StreamName } from "@synap/types";
import type { FieldConditions } from "../reading/read-all.ts";
import type { ReadLimiter } from "./read-limiter.ts";

/** Start, filter and batching of a subscription. `Name` is the union of the event types that `types` may name. */
export interface SubscriptionRequest<Name extends string = string> extends FieldConditions {
  /**
   * Start of the subscription: after this position (the checkpoint of an earlier batch), with the first event of the log, or
   * with the first event stored from now on. "now" is determined during the call; for an exact start give a position.
   */
  readonly from: number | "start" | "now";
  /** Only events of these types. */
  readonly types?: readonly Name[] | undefined;
  /** Only the events of this stream. */
  readonly stream?: StreamName | undefined;
  /** Maximum number of events of a batch, 1 to 10,000. Default 500. */
  readonly batchSize?: number | undefined;
  /** A batch ends with the event that reaches this size in bytes. Default and maximum: 4 MiB. */
  readonly maxBatchBytes?: number | undefined;
  /** Interval between polls when no notification arrives, in milliseconds. Default 1,000. */
  readonly pollInterval?: number | undefined;
  /** Limits the concurrent reads of several subscriptions to one store, and shares equal ones. */
  readonly readLimiter?: ReadLimiter | undefined;
  /** Ends the subscription; the iteration completes without an error. */
  readonly signal?: AbortSignal | undefined;
}

/** A batch of events of a subscription. */
export interface EventBatch<Event extends StoredEvent = StoredEvent> {
  /** The position of the batch before it, or the one after which the subscription begins. */
  readonly after: number;
  /** In the order of positions. Empty when the batch only reports a new position. */
  readonly events: readonly Event[];
  /** The checkpoint to save once the batch is processed: a subscription from here continues after it. */
  readonly position: number;
  /** True if no more events were stored when this batch was read. */
  readonly caughtUp: boolean;
  /** Position up to which the log could be read then. Lower than the start in a store that was restored to before it. */
  readonly watermark: number;
}
