import type { EventInput, ExpectedVersion, StreamName } from "@synap/types";

/** A stream and its expected version. */
export interface Expectation extends StreamName {
  readonly expected: ExpectedVersion;
}

/** An event to append to a given stream: `type`, `data` and any optional fields. */
export type StreamEventInput = Omit<EventInput, "aggregateType" | "aggregateId">;

/** Formats a stream for error messages. */
export function describeStream({ aggregateType, aggregateId }: StreamName): string {
  return `${aggregateType} ${JSON.stringify(aggregateId)}`;
}

/** Validates an expected version. @throws RangeError */
export function checkExpectedVersion(expected: ExpectedVersion): ExpectedVersion {
  if (expected === "any" || expected === "no-stream" || expected === "stream-exists") return expected;
  if (Number.isSafeInteger(expected) && expected >= 0) return expected;
  throw new RangeError(
    `An expected version must be any, no-stream, stream-exists or a whole number from 0, not ${expected}.`,
  );
}
