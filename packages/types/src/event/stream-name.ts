/** Name of a stream: the events of one aggregate, in order. */
export interface StreamName {
  /** Type of the aggregate: one lower case segment, for example `note`. */
  readonly aggregateType: string;
  /** Id of the aggregate: 1 to 128 characters. */
  readonly aggregateId: string;
}

/**
 * Version that a stream must have before the append. `any`: any version. `no-stream`: it has no events. `stream-exists`: it
 * has events. A number: exactly this version; 0 is the same as `no-stream`.
 */
export type ExpectedVersion = "any" | "no-stream" | "stream-exists" | number;

/**
 * Formats a stream as a unique map key. Names contain no NUL, so keys sort like the pairs. The segments of projections are
 * computed from it, so it must not change.
 */
export function streamKey({ aggregateType, aggregateId }: StreamName): string {
  return `${aggregateType}\0${aggregateId}`;
}

/** Formats a stream for error messages. */
export function describeStream({ aggregateType, aggregateId }: StreamName): string {
  return `${aggregateType} ${JSON.stringify(aggregateId)}`;
}

/** True if a stream of this version is as expected. A stream without events is at version 0. */
export function meetsExpectation(version: number, expected: ExpectedVersion): boolean {
  if (expected === "any") return true;
  if (expected === "stream-exists") return version > 0;
  return version === (expected === "no-stream" ? 0 : expected);
}

/** Validates an expected version. @throws RangeError */
export function checkExpectedVersion(expected: ExpectedVersion): ExpectedVersion {
  if (expected === "any" || expected === "no-stream" || expected === "stream-exists") return expected;
  if (Number.isSafeInteger(expected) && expected >= 0) return expected;
  throw new RangeError(
    `An expected version must be any, no-stream, stream-exists or a whole number from 0, not ${expected}.`,
  );
}
