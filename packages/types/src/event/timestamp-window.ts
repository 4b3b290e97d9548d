import type { EventIssue } from "../issues/event-issue.ts";
import { InvalidMomentError } from "./check-moment.ts";

/** Maximum age of an event on arrival, in milliseconds, unless it belongs to a backfill: 7 days. */
export const DEFAULT_LATENESS_MS = 7 * 24 * 60 * 60 * 1000;

/** Maximum lead of an event over the receiver's clock, in milliseconds: 5 minutes. */
export const DEFAULT_AHEAD_MS = 5 * 60 * 1000;

/** The window of timestamps that are accepted. */
export interface TimestampWindow {
  /** The receiver's clock: a Date, or milliseconds since 1970. */
  readonly now: Date | number;
  /** Maximum age of an event, in milliseconds. Default 7 days. */
  readonly lateness?: number | undefined;
  /** Maximum lead of an event, in milliseconds. Default 5 minutes. */
  readonly ahead?: number | undefined;
}

/**
 * Checks that an event's timestamp is close enough to now. An absurd timestamp would create a separate storage
 * chunk, so only a backfill, which needs a separate permission, may skip this check.
 *
 * @throws InvalidMomentError when the clock is not a valid moment.
 *
 * Codes: `timestamp-too-late` (in the future), `timestamp-too-old`. `event.timestamp` must already be normalised.
 */
export function checkTimestampWindow(
  event: { readonly timestamp: string },
  window: TimestampWindow,
): EventIssue | undefined {
  const now = window.now.valueOf();
  if (Number.isNaN(now)) throw new InvalidMomentError("now", "is an invalid Date");
  const lateness = window.lateness ?? DEFAULT_LATENESS_MS;
  const ahead = window.ahead ?? DEFAULT_AHEAD_MS;
  const moment = Date.parse(event.timestamp);
  if (moment > now + ahead) {
    const reason = `is more than ${describeDuration(ahead)} ahead of the receiver's clock`;
    return { path: "timestamp", code: "timestamp-too-late", reason };
  }
  if (moment < now - lateness) {
    const reason = `is older than ${describeDuration(lateness)}: send old events as a backfill`;
    return { path: "timestamp", code: "timestamp-too-old", reason };
  }
  return undefined;
}

function describeDuration(milliseconds: number): string {
  const units = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
    [1_000, "second"],
  ] as const;
  for (const [size, name] of units) {
    if (milliseconds >= size && milliseconds % size === 0) {
      const count = milliseconds / size;
      return `${count} ${name}${count === 1 ? "" : "s"}`;
    }
  }
  return `${milliseconds} ms`;
}
