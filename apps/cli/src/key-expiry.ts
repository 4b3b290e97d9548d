import { readTimestamp } from "@synap/types";
import { InvalidArgumentError } from "commander";

const HOUR_MS = 3_600_000;
const MAX_YEARS = 10;
const MAX_MS = MAX_YEARS * 366 * 24 * HOUR_MS;

/**
 * Reads the end of a key: days or hours from now, such as `90d` or `12h`, or a moment.
 *
 * @throws InvalidArgumentError for anything else, a key that would never have been valid, and one that outlives its purpose
 */
export function readKeyExpiry(value: string, now: number = Date.now()): string {
  const [, count, unit] = /^(\d{1,9})([dh])$/.exec(value) ?? [];
  const moment = count === undefined ? readTimestamp(value) : undefined;
  if (moment?.ok === false)
    throw new InvalidArgumentError("It must be like 90d, 12h or 2027-01-31T00:00:00Z.");
  const end = moment?.milliseconds ?? now + Number(count) * (unit === "d" ? 24 : 1) * HOUR_MS;
  if (end <= now)
    throw new InvalidArgumentError("The key would already have expired: it must end after now, as with 90d.");
  if (end - now > MAX_MS)
    throw new InvalidArgumentError(
      `It must be at most ${MAX_YEARS} years from now. Without --expires, a key does not expire.`,
    );
  return new Date(end).toISOString();
}
