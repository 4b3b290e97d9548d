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
