import { readTimestamp } from "./timestamp.ts";

/** Thrown for an invalid Date, a text that is not RFC 3339, or a year that the store cannot hold. */
export class InvalidMomentError extends RangeError {
  override readonly name = "InvalidMomentError";
  readonly code = "MOMENT_INVALID";
  /** The name of the parameter, for example `at`. */
  readonly parameter: string;

  constructor(parameter: string, reason: string) {
    super(`"${parameter}" ${reason}.`);
    this.parameter = parameter;
  }
}

/** Thrown when the past is asked for with a moment that is still to come: the answer would not stay as it is. */
export class MomentInFutureError extends RangeError {
  override readonly name = "MomentInFutureError";
  readonly code = "MOMENT_IN_FUTURE";
  /** The name of the parameter, for example `asOf`. */
  readonly parameter: string;

  constructor(parameter: string) {
    super(`"${parameter}" must not be in the future.`);
    this.parameter = parameter;
  }
}

/** Clocks differ: a moment that is no further ahead than this counts as the present. */
const CLOCKS_DIFFER_MS = 60_000;

/**
 * Validates a moment of the past, as `checkMoment`. One that is up to a minute ahead of this machine's clock is the present.
 * @throws InvalidMomentError; MomentInFutureError
 */
export function checkPast(parameter: string, value: Date | string, now: number = Date.now()): Date {
  const moment = checkMoment(parameter, value);
  if (moment.valueOf() > now + CLOCKS_DIFFER_MS) throw new MomentInFutureError(parameter);
  return moment;
}

const EARLIEST = Date.parse("0001-01-01T00:00:00.000Z");
const LATEST = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * Validates a caller's moment: a Date of the years 1 to 9999, or text as `readTimestamp` accepts it.
 * @throws InvalidMomentError
 */
export function checkMoment(parameter: string, value: Date | string): Date {
  if (typeof value === "string") {
    const reading = readTimestamp(value);
    if (!reading.ok) throw new InvalidMomentError(parameter, reading.reason);
    return new Date(reading.milliseconds);
  }
  const milliseconds = value.valueOf();
  if (Number.isNaN(milliseconds)) throw new InvalidMomentError(parameter, "is an invalid Date");
  if (milliseconds < EARLIEST || milliseconds > LATEST) {
    throw new InvalidMomentError(parameter, "is outside the years 1 to 9999");
  }
  return value;
}
