import { UnreadableValueError } from "./database-errors.ts";

/**
 * SQL for a `timestamptz` as whole milliseconds since 1970. A number is independent of the DateStyle and TimeZone of a
 * session, including one that the application lends.
 */
export function epochMs(expression: string): string {
  return `(extract(epoch FROM ${expression}) * 1000)::bigint`;
}

/** The bounds of the moments that PostgreSQL reads as text of four digits a year. */
const WRITABLE = { low: Date.parse("0001-01-01T00:00:00Z"), high: Date.UTC(10_000, 0, 1) } as const;

/**
 * Returns a bound of a time range as a parameter: infinity beyond the years that PostgreSQL reads. A range that is widened or narrowed by
 * some days can leave them.
 */
export function sqlBound(moment: Date): Date | string {
  if (moment.valueOf() >= WRITABLE.high) return "infinity";
  return moment.valueOf() < WRITABLE.low ? "-infinity" : moment;
}

/** Converts whole milliseconds since 1970 to the form of an event's timestamp. */
export function isoFromEpoch(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/**
 * Converts the text that PostgreSQL writes into JSON to the form of an event's timestamp. It is ISO 8601 under every
 * DateStyle, with the offset of the session's TimeZone; every offset but zero takes longer.
 * @throws UnreadableValueError for any other text.
 */
export function isoFromJson(text: string): string {
  if (text.endsWith("+00:00") && text.charAt(4) === "-" && text.charAt(10) === "T") {
    return `${text.slice(0, 19)}.${text.slice(20, -6).padEnd(3, "0")}Z`;
  }
  return readMoment(text).toISOString();
}

const MOMENT =
  /^(\d{4,6})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?( BC)?$/;

/**
 * Parses PostgreSQL's text of a `timestamptz` in the ISO DateStyle, with any offset.
 * @throws UnreadableValueError for any other text: another DateStyle puts day and month in an order that the text
 *   doesn't reveal, and infinity is no Date.
 */
export function readMoment(text: string): Date {
  const match = MOMENT.exec(text);
  if (match === null) throw new UnreadableValueError("timestamptz", text);
  const [, year, month, day, hours, minutes, seconds, fraction = "", sign, ...offset] = match;
  const [offsetHours, offsetMinutes, offsetSeconds, isBeforeChrist] = offset;
  const shift = Number(offsetHours) * 3600 + Number(offsetMinutes ?? 0) * 60 + Number(offsetSeconds ?? 0);
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; setUTCFullYear doesn't.
  const moment = new Date(0);
  moment.setUTCFullYear(
    isBeforeChrist === undefined ? Number(year) : 1 - Number(year),
    Number(month) - 1,
    Number(day),
  );
  moment.setUTCHours(
    Number(hours),
    Number(minutes),
    Number(seconds) - (sign === "-" ? -shift : shift),
    Number(fraction.slice(0, 3).padEnd(3, "0")),
  );
  if (Number.isNaN(moment.valueOf())) throw new UnreadableValueError("timestamptz", text);
  return moment;
}
