import type { StoredEvent, StreamName } from "@synap/types";
import type { IEventHandler } from "../handler/event-handler.ts";

/**
 * The promise of a sink about repetitions.
 *
 * - `effectively once`: the destination keeps the checkpoint, and commits it together with the effects.
 * - `idempotent`: an event may arrive again, and changes nothing then.
 * - `at least once`: an event may arrive again; receivers recognise it by its id.
 */
export type SinkGuarantee = "effectively once" | "idempotent" | "at least once";

/** The promises of a kind of destination. */
export interface SinkDescription {
  /** The kind of destination, such as `PostgreSQL`. */
  readonly destination: string;
  /** Events of one stream arrive in its order. */
  readonly ordered: boolean;
  /** A batch has its effects completely or not at all. */
  readonly transactional: boolean;
  /** An event that arrives again changes nothing. */
  readonly idempotent: boolean;
  readonly guarantee: SinkGuarantee;
  /** The destination keeps the checkpoint. Otherwise Synap does, after the destination has confirmed a batch. */
  readonly keepsCheckpoint: boolean;
}

/** The position up to which a destination has the events of the log, and the epoch of the store that it is a position of. */
export interface SinkCheckpoint {
  readonly position: number;
  /** A part of the history of one store: see `epochName`. */
  readonly epoch: string;
}

/** The part of the log that a batch covers. */
export interface SinkRange {
  /** The checkpoint that the batch follows. */
  readonly from: number;
  /** The checkpoint after the batch. It also moves past events that the sink does not take. */
  readonly to: number;
  /** The epoch that this checkpoint was written in: an earlier one after the store was restored, until the first batch. */
  readonly fromEpoch: string;
  /** The epoch of the store, which the checkpoint after the batch belongs to. */
  readonly epoch: string;
  /**
   * The stream of a batch that was held back: its events are behind the checkpoint, which does not move (`to` is `from`). They may
   * be applied again with the same positions, and a destination of the guarantee `effectively once` leaves out those that it has.
   */
  readonly late?: StreamName | undefined;
  /** Ends the call: what has not been confirmed by then counts as not applied. */
  readonly signal: AbortSignal;
}

/**
 * The outcome of one event.
 *
 * - `applied`: confirmed by the destination, or left out because it has it already.
 * - `failed`: the destination refuses this event, and a repetition alone won't change that soon.
 * - `waiting`: not tried, because an earlier event of its stream has failed, or undone together with one. Where Synap keeps the checkpoint, a call
 *   that takes long may also leave the rest for the next one, unless the events are late: it has applied at least one then.
 */
export type SinkOutcome =
  | { readonly status: "applied" }
  | { readonly status: "failed"; readonly error: unknown }
  | { readonly status: "waiting" };

/** An open connection to a destination. One call at a time. */
export interface SinkConnection {
  /** Reads the checkpoint from the destination; undefined if it keeps none, or has none yet. */
  checkpoint(): Promise<SinkCheckpoint | undefined>;
  /**
   * Applies events, in the order of their positions, and moves the checkpoint of the destination, if it keeps one, to `to`. The array may
   * be empty. With an outcome other than `applied`, the checkpoint has not moved; Synap calls again, without the events that failed.
   *
   * @returns one outcome for each event
   * @throws when the destination is unavailable, or not to be written: nothing counts as applied then
   */
  apply(events: readonly StoredEvent[], range: SinkRange): Promise<readonly SinkOutcome[]>;
  /** Closes the connection. It never throws, and may be called after a failure. */
  close(): Promise<void>;
}

/** The events that a sink takes. All given conditions must hold. */
export interface SinkFilter {
  /** Only events of streams of this type. */
  readonly aggregateType?: string | undefined;
  /** Only the events of this stream. */
  readonly stream?: StreamName | undefined;
  /** Only events of this source. */
  readonly source?: string | undefined;
}

/** A system outside of the database that follows the log. Made by {@link defineSink}, and by what makes sinks of one kind. */
export interface Sink<Name extends string = string> {
  readonly name: Name;
  readonly description: string;
  readonly eventTypes: readonly string[] | "all";
  readonly filter: SinkFilter;
  /** Maximum number of events of a batch. */
  readonly batch: number;
  /** Maximum duration of a call of the destination, in milliseconds. */
  readonly timeoutMs: number;
  /** True if it gets personal values opened, instead of masked. */
  readonly opensPersonalData: boolean;
  readonly promise: SinkDescription;
  /** Position that it begins behind, where Synap keeps the checkpoint. Default: the beginning of the log. */
  readonly after?: number | undefined;
  /** Opens a connection. @throws when the destination can't be reached */
  open(signal: AbortSignal): Promise<SinkConnection>;
}

/** The part of the definition of a sink that is the same for every kind of destination. */
export interface SinkOptions<Name extends string = string> {
  /** Unique and kebab-case. Never change it: checkpoints and dead letters are stored under it. */
  readonly name: Name;
  /** One sentence for operators, shown by the status. */
  readonly description: string;
  /** See {@link SinkFilter}. Default: all events of its types. */
  readonly filter?: SinkFilter | undefined;
  /** Maximum number of events of a batch, 1 to 1,000. Default 500. */
  readonly batch?: number | undefined;
  /** Maximum duration of a call of the destination, in milliseconds, 100 to 40,000. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** True to get personal values opened. Default: they are masked, as for a reader who may not see them. */
  readonly opensPersonalData?: boolean | undefined;
}

/** Longest duration of a call, in milliseconds. The lease of the process that runs a sink is longer. */
export const MAX_CALL_MS = 40_000;

/** Default for the longest duration of a call, in milliseconds. */
export const DEFAULT_CALL_MS = 30_000;

/**
 * Defines a sink for a kind of destination. `postgresSink` and its like are built on it.
 *
 * @throws RangeError for a batch or a time limit out of bounds
 */
export function defineSink<const Name extends string>(
  definition: SinkOptions<Name> & Pick<Sink<Name>, "after" | "eventTypes" | "promise" | "open">,
): Sink<Name> {
  const { name, description, eventTypes, promise, filter = {}, opensPersonalData = false } = definition;
  const { after, batch = 500, timeoutMs = DEFAULT_CALL_MS } = definition;
  if (!Number.isInteger(batch) || batch < 1 || batch > 1_000)
    throw new RangeError(`The batch of the sink "${name}" must be 1 to 1000 events, not ${batch}.`);
  if (!(timeoutMs >= 100 && timeoutMs <= MAX_CALL_MS))
    throw new RangeError(`timeoutMs of the sink "${name}" must be 100 to ${MAX_CALL_MS}, not ${timeoutMs}.`);
  return {
    name,
    description,
    eventTypes,
    promise,
    after,
    filter,
    batch,
    timeoutMs,
    opensPersonalData,
    open: (signal) => definition.open(signal),
  };
}

/** A sink as the status and the processing of events list it, beside the handlers. */
export function asConsumer({ name, description, eventTypes }: Sink): Omit<IEventHandler, "handle"> {
  return { name, description, eventTypes, mode: "async" };
}
