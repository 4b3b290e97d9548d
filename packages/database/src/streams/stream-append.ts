import type { StoredEvent } from "@synap/types";
import type { Transaction } from "../connection/sql-session.ts";
import type { ExpectedVersion, StreamEventInput, StreamName } from "./stream-name.ts";

/** Events for one stream, and what the sender believes of it. */
export interface StreamAppend {
  readonly stream: StreamName;
  readonly expectedVersion: ExpectedVersion;
  /** One or more. All appends of a call hold 1,024 at the most. */
  readonly events: readonly StreamEventInput[];
}

/** What a stream must be for the append to happen, although nothing is written to it. */
export interface StreamCheck {
  readonly stream: StreamName;
  readonly expectedVersion: ExpectedVersion;
}

export interface StreamAppendOptions {
  /**
   * Append inside this transaction: stored if and when it commits. A refusal is undone to where the call began, so the
   * transaction can go on. Without it the call is a transaction of its own.
   */
  readonly transaction?: Transaction | undefined;
  /** As for `append`: "live" (default) refuses events whose timestamp is far from now, "backfill" takes any time. */
  readonly timestamps?: "live" | "backfill" | undefined;
}

export interface StreamsAppendOptions extends StreamAppendOptions {
  /** Streams that must be as said while the append happens, without being written. */
  readonly checks?: readonly StreamCheck[] | undefined;
}

/** One event of an append, as it is stored. */
export interface AppendedStreamEvent {
  /** Its id; if it is a duplicate by its idempotency key, the id of the first. */
  readonly id: string;
  readonly position: number;
  readonly streamVersion: number;
  /** It was stored before, by an earlier append of the same event. */
  readonly duplicate: boolean;
}

export interface StreamAppendResult {
  readonly stream: StreamName;
  /** Of the last event. When all were duplicates: as it was after the first append. */
  readonly streamVersion: number;
  /** Of the last event. */
  readonly position: number;
  /** One for each event, in the same order. */
  readonly events: readonly AppendedStreamEvent[];
}

/** What is known of a stream without reading its events. */
export interface StreamInfo {
  /** The version of its last event. */
  readonly streamVersion: number;
  /** When it was closed, in the form of `timestamp`; missing while it is open. */
  readonly closedAt?: string;
}

export interface StreamRead {
  /** The first version to read, inclusive. Default 1. */
  readonly fromVersion?: number | undefined;
  /** The last version to read, inclusive. Default: the stream's version when reading begins. */
  readonly toVersion?: number | undefined;
  /** `backwards` begins with the last version. Default `forwards`. */
  readonly direction?: "forwards" | "backwards" | undefined;
  /** Events fetched and held at a time, 1 to 10,000. Default 1,000. Fewer when they are large: 4 MiB at a time. */
  readonly pageSize?: number | undefined;
  /** A page ends with the event that reaches so many bytes. Default, and the most: 4 MiB. */
  readonly maxPageBytes?: number | undefined;
  /** Read inside this transaction. With the embedded engine, needed whenever one is open. */
  readonly transaction?: Transaction | undefined;
}

/** Part of a stream. */
export interface StreamPage {
  /** In the direction of the read. */
  readonly events: readonly StoredEvent[];
  /** With which version the rest begins, in the direction of the read; undefined when there is none. */
  readonly nextVersion?: number;
}
