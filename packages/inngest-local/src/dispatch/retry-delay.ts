/**
 * Delay after a failed attempt, in milliseconds: one number for all attempts, or one per attempt, of which the last
 * repeats. The default is the Inngest server's table with its jitter.
 */
export type RetryDelays = number | readonly number[];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The Inngest server's table; the last entry repeats. */
const SERVER_TABLE = [
  15 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  40 * MINUTE,
  HOUR,
  2 * HOUR,
];
/** Maximum jitter, as on the server. */
const SERVER_JITTER = 30 * SECOND;

/** Returns the delay after a failed attempt. @param attempt counted from 0 */
export function retryDelay(
  attempt: number,
  delays: RetryDelays | undefined,
  random: () => number = Math.random,
): number {
  if (typeof delays === "number") return delays;
  if (delays === undefined) return entry(SERVER_TABLE, attempt) + Math.floor(random() * SERVER_JITTER);
  return entry(delays, attempt);
}

function entry(table: readonly number[], attempt: number): number {
  return table[Math.min(attempt, table.length - 1)] ?? 0;
}

const SHORTEST_RETRY_AFTER = SECOND;
const LONGEST_RETRY_AFTER = 24 * HOUR;

/**
 * Parses a `Retry-After` header into a delay in milliseconds, clamped to between 1 s and 24 h.
 *
 * @param header seconds, or a date
 * @returns undefined when the header is missing or invalid
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header.trim() === "") return undefined;
  const wait = /^\d+(\.\d+)?$/.test(header.trim()) ? Number(header) * SECOND : Date.parse(header) - now;
  if (!Number.isFinite(wait)) return undefined;
  return Math.min(Math.max(wait, SHORTEST_RETRY_AFTER), LONGEST_RETRY_AFTER);
}
