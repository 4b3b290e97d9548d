import type { JsonObject } from "../json/json.ts";

/**
 * SynapEvent v1: something that happened. Immutable once accepted. Validation never changes `data` or
 * `metadata`; only timestamps and UUIDs are normalised.
 */
export interface SynapEvent<Type extends string = string, Data = JsonObject> {
  /** UUID in lower case; version 7 when created by `createSynapEvent`. The store keeps one event per id. */
  readonly id: string;
  /** Version of this contract. */
  readonly version: "v1";
  /** `aggregate.action[.more]`, for example `note.creation.requested`. At most 128 characters. */
  readonly type: Type;
  /**
   * Version of the event type's schema that `data` has: a whole number from 2; absent for version 1. As stored, it is the one that the
   * event was written with; where code reads events, `data` has the current version, and this says so.
   */
  readonly schemaVersion?: number;
  /** First half of the stream's name: the type of the aggregate. Inferred from the event type. */
  readonly aggregateType: string;
  /** Second half of the stream's name: the id of the aggregate. 1 to 128 characters. */
  readonly aggregateId: string;
  /** The event's content: a JSON object, validated against the schema of `type` and stored as it was sent. */
  readonly data: Data;
  /** The user it belongs to. 1 to 128 characters. */
  readonly userId?: string;
  /** The actor: `user:{id}`, `agent:{name}` or `system`. */
  readonly createdBy: string;
  /** The system it came from. 1 to 64 characters. */
  readonly source: string;
  /** Time of the event, in UTC with milliseconds: `YYYY-MM-DDTHH:mm:ss.sssZ`. */
  readonly timestamp: string;
  /** The request that caused it, for tracing. 1 to 128 characters. */
  readonly requestId?: string;
  /** Groups the events of one flow. 1 to 128 characters. */
  readonly correlationId?: string;
  /** The id of the event that caused this one. UUID, lower case. */
  readonly causationId?: string;
  /** Two events with the same key are one event sent twice, whatever their ids. 1 to 255 characters. */
  readonly idempotencyKey?: string;
  /** Start of the period in which the fact holds, where it differs from `timestamp`. Same form. */
  readonly validFrom?: string;
  /** End of the period in which the fact holds, exclusive; later than `validFrom`. Same form as `timestamp`. */
  readonly validTo?: string;
  /** Context that is not part of what happened: addresses, agents, signatures, traces. A JSON object. */
  readonly metadata?: JsonObject;
}

/** An event as the store returns it. */
export interface StoredEvent<Type extends string = string, Data = JsonObject> extends SynapEvent<Type, Data> {
  /** Its number among all events: increases, never repeats, has gaps. A safe integer. */
  readonly position: number;
  /** Its number in its stream: 1, 2, 3 ... without gaps. */
  readonly streamVersion: number;
  /** Time of storage, in the form of `timestamp`. */
  readonly recordedAt: string;
  /** The personal values that this reader did not get; absent if there are none. `data` has other ones at their places. */
  readonly masked?: readonly MaskedValue[];
  /** The correction or retraction on account of which it is not in force. Only on the pages of a query that asks for marks. */
  readonly amendedBy?: AmendedBy;
}

/** A personal value in the place of which a reader got another one. */
export interface MaskedValue {
  /** Its place in the data as it was stored, as a JSON Pointer. */
  readonly path: string;
  /**
   * - `not-allowed`: the reader may not see personal data.
   * - `erased`: the subject's data was erased. Nobody can read it again.
   * - `unreadable`: the key of the subject does not open it: it was moved here from elsewhere, or changed.
   */
  readonly reason: "not-allowed" | "erased" | "unreadable";
}

/** The event that amends another. */
export interface AmendedBy {
  readonly kind: "correction" | "retraction";
  /** Its id. */
  readonly eventId: string;
  /** When it was stored. */
  readonly recordedAt: string;
}

/** The fields that a sender may omit: all except the type and the data. Undefined counts as omitted. */
type Omissible = {
  readonly [Field in keyof SynapEvent as Exclude<Field, "type" | "data">]?: SynapEvent[Field] | undefined;
};

/**
 * An event as a sender provides it. Omitted fields are filled in: `id` with a new UUIDv7 (set your own to make retries
 * harmless), `aggregateType` from the event type's definition, `aggregateId` with the event's own id, which starts a
 * new stream, `createdBy` with `user:{userId}` or `system`, `source` with `api`, and `timestamp` with now. In a program that has the
 * catalogue `schemaVersion` is the current one of the type. Over HTTP and in SQL it is 1, because a sender of an earlier release
 * doesn't know of versions.
 */
export interface EventInput<Type extends string = string, Data = JsonObject> extends Omissible {
  readonly type: Type;
  readonly data: Data;
}
