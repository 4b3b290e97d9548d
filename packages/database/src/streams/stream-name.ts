import type { EventInput, ExpectedVersion, StreamName } from "@synap/types";

/** A stream and its expected version. */
export interface Expectation extends StreamName {
  readonly expected: ExpectedVersion;
}

/** An event for a stream that is named beside it: `type` and `data`, and whatever else the sender knows. */
export type StreamEventInput = Omit<EventInput, "aggregateType" | "aggregateId">;

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
