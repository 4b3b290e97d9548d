/**
 * Wait that a server asks for before the next attempt, in milliseconds.
 *
 * @param header the value of Retry-After: seconds, or an HTTP date
 * @returns undefined when it is missing or makes no sense
 */
export function retryAfterMs(header: string | null, now: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  if (header.trim() !== "" && Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
