const TIME = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\+00( BC)?$/;
/** The limits of INT64, which DuckDB too reads as infinity. */
const INFINITY = 2n ** 63n - 1n;

/**
 * Microseconds since 1970 of PostgreSQL's text of a time, in UTC. Throws a RangeError for text that would not come back as it is: of another time
 * zone or another style, or of years after 275760.
 */
export function microsecondsOf(text: string): bigint {
  if (text === "infinity") return INFINITY;
  if (text === "-infinity") return -INFINITY;
  const [, year = "", month, day, hour, minute, second, fraction = "", before] = TIME.exec(text) ?? [];
  const milliseconds = Date.parse(`${isoYear(year, before)}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(milliseconds)) throw new RangeError(`${text} can't be written as microseconds.`);
  const microseconds = BigInt(milliseconds) * 1000n + BigInt(fraction.padEnd(6, "0") || 0);
  if (textOfMicroseconds(microseconds) !== text)
    throw new RangeError(`${text} can't be written as microseconds.`);
  return microseconds;
}

/** PostgreSQL's text of a time, in UTC. */
export function textOfMicroseconds(microseconds: bigint): string {
  if (microseconds === INFINITY) return "infinity";
  if (microseconds === -INFINITY) return "-infinity";
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const date = new Date(Number((microseconds - fraction) / 1000n));
  const year = date.getUTCFullYear();
  const rest = date.toISOString().slice(-20, -5).replace("T", " ");
  const digits = fraction === 0n ? "" : `.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
  // There is no year 0: the one before 1 is 1 BC.
  return `${String(year > 0 ? year : 1 - year).padStart(4, "0")}${rest}${digits}+00${year > 0 ? "" : " BC"}`;
}

function isoYear(year: string, before: string | undefined): string {
  if (before !== undefined)
    return Number(year) === 1 ? "0000" : `-${String(Number(year) - 1).padStart(6, "0")}`;
  return year.length === 4 ? year : `+${year.padStart(6, "0")}`;
}
