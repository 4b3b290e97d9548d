import type { StreamName } from "../event/stream-name.ts";
import type { JsonObject } from "../json/json.ts";
import type { EventTypeMap, PartOf, StoredEventIn } from "./typed-events.ts";

declare global {
  // Merged with the real one: this package is compiled without the types of browsers and of Node.js.
  interface AbortSignal {}
}

/** Options of every call. */
export interface CallOptions {
  /** Ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a read that a replica of the database may answer. */
export interface ReadOptions extends CallOptions {
  /**
   * The read sees the events up to this position, which an append or a command of somebody else returned. What the reading object
   * itself has appended and read it sees anyway.
   */
  readonly minPosition?: number | undefined;
}

/** Conditions on where events come from. All given ones must hold. */
export interface EventOrigin {
  readonly userId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Events that this one caused, by its id. */
  readonly causationId?: string | undefined;
  /** `user:{id}`, `agent:{name}` or `system`. */
  readonly createdBy?: string | undefined;
  /** The system that they came from. */
  readonly source?: string | undefined;
}

/** Filter of stored events. All given conditions must hold. */
export interface EventQuery<Name extends string = string, Data = JsonObject>
  extends ReadOptions,
    EventOrigin {
  /** Events of this type, or of any of these. */
  readonly type?: Name | readonly Name[] | undefined;
  readonly aggregateType?: string | undefined;
  readonly aggregateId?: string | undefined;
  /** The system that they came from. Needs another condition beside it. */
  readonly source?: string | undefined;
  /** Events that happened at this moment or later: a Date or RFC 3339 text. */
  readonly from?: Date | string | undefined;
  /** Events that happened before this moment. */
  readonly to?: Date | string | undefined;
  /** Events that were stored at this moment or later. */
  readonly recordedFrom?: Date | string | undefined;
  /** Events that were stored before this moment. */
  readonly recordedTo?: Date | string | undefined;
  /**
   * Facts that hold at this moment: from `validFrom`, or else `timestamp`, until before `validTo`. Needs another condition beside it.
   */
  readonly validAt?: Date | string | undefined;
  /** Events that were recorded up to this moment, which is not in the future; with `corrections`, as known then. */
  readonly knownAt?: Date | string | undefined;
  /**
   * Corrections and retractions. `applied`: only events that are in force, so that a correction is in the place of the event that it corrects.
   * `marked`: all events, those that are not in force with `amendedBy`. Default: all events, as they are stored.
   */
  readonly corrections?: "applied" | "marked" | undefined;
  /**
   * JSON that the data contains: each field, at any depth; of an array, each item somewhere in the array. At most 4,096
   * bytes. Needs another condition beside it.
   */
  readonly data?: Data | undefined;
  /** By time. Default `desc`: newest first. */
  readonly order?: "asc" | "desc" | undefined;
  /** Events fetched at a time, 1 to 1,000. Default 100. */
  readonly pageSize?: number | undefined;
}

/** Range and direction of a stream read. */
export interface StreamRead extends ReadOptions {
  /** The lowest version, inclusive. Default 1. */
  readonly fromVersion?: number | undefined;
  /** The highest version, inclusive. Default: the stream's version when reading begins. */
  readonly toVersion?: number | undefined;
  /** Default `forwards`. */
  readonly direction?: "forwards" | "backwards" | undefined;
  /** Events fetched at a time, 1 to 1,000. Default 500. */
  readonly pageSize?: number | undefined;
}

/** Size of the pages in which a list is fetched. */
export interface PageSize extends CallOptions {
  /** Items fetched at a time, 1 to 1,000. Default 100. */
  readonly pageSize?: number | undefined;
}

/** An event type as the catalogue has it. */
export interface DescribedEventType {
  readonly name: string;
  /** Default `aggregateType` of its events. */
  readonly aggregateType: string;
  readonly description: string;
  /** Values of `version` with which its events are accepted, the newest last. */
  readonly versions: readonly string[];
  /** The current version of its schema. */
  readonly schemaVersion: number;
  /** JSON Schema (draft 2020-12) of `data` at this version. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  /** The versions before it, with which events may still be sent, the oldest first. */
  readonly earlierSchemas: readonly {
    readonly schemaVersion: number;
    readonly jsonSchema: Readonly<Record<string, unknown>>;
  }[];
  /** An example of `data`. */
  readonly example: JsonObject;
  /** True if it was registered at run time; absent for a type that is defined in code. */
  readonly isRegistered?: boolean | undefined;
}

/** An event and those that it caused. */
export interface EventWithCaused<Event> {
  readonly event: Event;
  /** The events that it caused, the oldest first. */
  readonly caused: {
    readonly events: readonly Event[];
    /** Set if there are more: `query({ causationId: event.id, order: "asc" })` has all of them. */
    readonly nextCursor?: string | undefined;
  };
}

/** An event in a flow. */
export interface TraceNode<Event> {
  /** 0: its cause is not on this page. Else one more than its cause has, which is the last before it of that depth. */
  readonly depth: number;
  readonly event: Event;
}

/** One page of the events of a flow, as a tree: each event follows the one that caused it. */
export interface Trace<Event> {
  readonly correlationId: string;
  readonly nodes: readonly TraceNode<Event>[];
  /** Leads to later events of the flow. */
  readonly nextCursor?: string | undefined;
}

/** A page of a flow. */
export interface TraceRequest extends CallOptions {
  /** Maximum number of events, 1 to 1,000. Default 1,000. Fewer when they are large. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** Start and filter of a subscription. */
export interface SubscriptionRequest<Name extends string = string> extends CallOptions, EventOrigin {
  /** `now` (default), `start`, or the position of the last processed event. */
  readonly from?: "now" | "start" | number | undefined;
  /** Events of this type, or of any of these. */
  readonly type?: Name | readonly Name[] | undefined;
  /** Events of streams of this type, or of one stream. */
  readonly stream?: (Partial<StreamName> & Pick<StreamName, "aggregateType">) | undefined;
  /** Called on progress, also past events that don't match: save `position` to resume from there. */
  readonly onProgress?: ((progress: SubscriptionProgress) => void) | undefined;
}

/** The progress of a subscription. */
export interface SubscriptionProgress {
  readonly position: number;
  /** True if all events stored at the time of the read were delivered. */
  readonly caughtUp: boolean;
  /** Number of events that the subscription has delivered since it began. */
  readonly received: number;
}

/**
 * Reading of stored events, the same in the application's own process (`createSynap`) and over HTTP (`createSynapClient`).
 * Functions that take it work with both.
 */
export interface EventReader<Types extends EventTypeMap> {
  /** The event types whose events are accepted, sorted by name. */
  eventTypes(options?: PageSize): AsyncGenerator<DescribedEventType, void, void>;
  /** The event type of this name; undefined when there is none. */
  getEventType(name: string, options?: CallOptions): Promise<DescribedEventType | undefined>;
  /** The event with this id; undefined when it isn't stored. */
  getEvent(id: string, options?: ReadOptions): Promise<StoredEventIn<Types> | undefined>;
  /** The event with this id and up to `limit` events that it caused, by default 100; undefined when it isn't stored. */
  getEventWithCaused(
    id: string,
    options?: CallOptions & { readonly limit?: number | undefined },
  ): Promise<EventWithCaused<StoredEventIn<Types>> | undefined>;
  /**
   * The events of a flow as a tree by what caused them: those with this correlation id, and the one whose id it is. Undefined
   * when there are none.
   */
  trace(correlationId: string, request?: TraceRequest): Promise<Trace<StoredEventIn<Types>> | undefined>;
  /**
   * The events that match, by time, fetched page by page. With `type`, `data` has the types of those events, also in the query.
   * Fails for an event type or an aggregate type that neither the application nor a stored event has, and for conditions
   * without an index (`source`, `validAt`, `data`) with nothing beside them but an end of time.
   */
  query<const Name extends keyof Types & string = keyof Types & string>(
    query?: EventQuery<Name, PartOf<Types[Name]>>,
  ): AsyncGenerator<StoredEventIn<Types, Name>, void, void>;
  /** The events of a stream by version, fetched page by page. None for a stream that doesn't exist. */
  readStream(stream: StreamName, read?: StreamRead): AsyncGenerator<StoredEventIn<Types>, void, void>;
  /** The events of a stream by the time at which they happened, the oldest first. None for a stream that doesn't exist. */
  history(
    stream: StreamName,
    options?: PageSize & ReadOptions,
  ): AsyncGenerator<StoredEventIn<Types>, void, void>;
  /** The stream's version, and when it was closed; undefined when it has no events. */
  getStream(
    stream: StreamName,
    options?: ReadOptions,
  ): Promise<{ readonly streamVersion: number; readonly closedAt?: string | undefined } | undefined>;
  /** The events after a position, then each as it is stored. With `type`, `data` has the types of those events. */
  subscribe<const Name extends keyof Types & string = keyof Types & string>(
    request?: SubscriptionRequest<Name>,
  ): AsyncGenerator<StoredEventIn<Types, Name>, void, void>;
}
