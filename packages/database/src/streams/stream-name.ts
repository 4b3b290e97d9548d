import type { EventInput } from "@synap/types";

/** The name of a stream: the events of one thing, in order. */
export interface StreamName {
  /** The kind of thing: one lower case segment, for example `note`. */
  readonly aggregateType: string;
  /** Which one: 1 to 128 characters. */
  readonly aggregateId: string;
}

/**
 * The version that a stream must have before the append. `any`: whichever, it never conflicts. `no-stream`: it has no
 * events. `stream-exists`: it has some. A number: exactly this version; 0 means the same as `no-stream`.
 */
export type ExpectedVersion = "any" | "no-stream" | "stream-exists" | number;

/** A stream and its expected version. */
export interface Expectation extends StreamName {
  readonly expected: ExpectedVersion;
}

/** An event for a stream that is named beside it: `type` and `data`, and whatever else the sender knows. */
export type StreamEventInput = Omit<EventInput, "aggregateType" | "aggregateId">;

/** A stream as the key of a map. Neither half holds a NUL, so no two streams share a key, and keys sort as the pairs do. */
export function streamKey({ aggregateType, aggregateId }: StreamName): string {
  return `${aggregateType}\0${aggregateId}`;
}

/** A stream as error messages name it. */
export function describeStream({ aggregateType, aggregateId }: StreamName): string {
  return `${aggregateType} ${JSON.stringify(aggregateId)}`;
}

/** @throws RangeError when it isn't an expected version */
export function checkExpectedVersion(expected: ExpectedVersion): ExpectedVersion {
  if (expected === "any" || expected === "no-stream" || expected === "stream-exists") return expected;
  if (Number.isSafeInteger(expected) && expected >= 0) return expected;
  throw new RangeError(
    `An expected version is any, no-stream, stream-exists or a whole number from 0, not ${expected}.`,
  );
}
