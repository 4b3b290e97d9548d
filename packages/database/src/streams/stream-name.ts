import type { EventInput } from "@synap/types";

/** Names a stream: the events of one thing, in order. */
export interface StreamName {
  /** The kind of thing: one lower case segment, for example `note`. */
  readonly aggregateType: string;
  /** Which one: 1 to 128 characters. */
  readonly aggregateId: string;
}

/**
 * What the sender believes of a stream before the append. `any`: nothing, it never conflicts. `no-stream`: it has no
 * events. `stream-exists`: it has some. A number: exactly this version; 0 means the same as `no-stream`.
 */
export type ExpectedVersion = "any" | "no-stream" | "stream-exists" | number;

/** What is believed of which stream. */
export interface Expectation extends StreamName {
  readonly expected: ExpectedVersion;
}

/** An event for a stream that is named beside it: `type` and `data`, and whatever else the sender knows. */
export type StreamEventInput = Omit<EventInput, "aggregateType" | "aggregateId">;

/** The stream as an error message names it. */
export function describeStream({ aggregateType, aggregateId }: StreamName): string {
  return `${aggregateType} ${JSON.stringify(aggregateId)}`;
}

/** @throws RangeError when it isn't one. */
export function checkExpectedVersion(expected: ExpectedVersion): ExpectedVersion {
  if (expected === "any" || expected === "no-stream" || expected === "stream-exists") return expected;
  if (Number.isSafeInteger(expected) && expected >= 0) return expected;
  throw new RangeError(
    `An expected version is any, no-stream, stream-exists or a whole number from 0, not ${expected}.`,
  );
}
