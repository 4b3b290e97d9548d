import type { QueueClock } from "../queue/queue-clock.ts";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Parses a duration such as `1d2h3m4s` (w, d, h, m, s, ms). @returns milliseconds, or undefined when invalid */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|[wdhms]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[wdhms])/g)) {
    total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
  }
  return total;
}

/** Parses a duration or a date into a time of the queue's clock. @returns undefined when invalid */
export function parseDueTime(text: string, clock: Pick<QueueClock, "now" | "atWall">): number | undefined {
  const duration = parseDuration(text);
  if (duration !== undefined) return clock.now() + duration;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : clock.atWall(date);
}
