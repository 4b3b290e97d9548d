const TIME =
  /^((?:\d{4}|[1-9]\d{4,})-\d\d-\d\d) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{0,5}[1-9]))?\+00( BC)?$/;
/** The limits of INT64, which DuckDB too reads as infinity. */
const INFINITY = 2n ** 63n - 1n;
const DAY = 86_400_000_000n;

/**
 * Microseconds since 1970 of PostgreSQL's text of a time, in UTC. Throws a RangeError for text that would not come back as it is: of another time
 * zone or another style, or of years after 275760.
 */
export function microsecondsOf(text: string): bigint {
  if (text === "infinity") return INFINITY;
  if (text === "-infinity") return -INFINITY;
  const [, date = "", hours, minutes, seconds, fraction = "", before = ""] = TIME.exec(text) ?? [];
  const midnight = date === "" ? undefined : midnightOf(date + before);
  if (midnight === undefined) throw new RangeError(`${text} can't be written as microseconds.`);
  const time = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return midnight + BigInt(time * 1_000_000 + Number(fraction.padEnd(6, "0")));
}

/** PostgreSQL's text of a time, in UTC. */
export function textOfMicroseconds(microseconds: bigint): string {
  if (microseconds === INFINITY) return "infinity";
  if (microseconds === -INFINITY) return "-infinity";
  const rest = Number(((microseconds % DAY) + DAY) % DAY);
  const [date, before] = dateOf(microseconds - BigInt(rest));
  const seconds = Math.floor(rest / 1_000_000);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map(twoDigits)
    .join(":");
  const fraction = rest % 1_000_000;
  const digits = fraction === 0 ? "" : `.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
  return `${date} ${time}${digits}+00${before}`;
}

const twoDigits = (value: number): string => String(value).padStart(2, "0");

// Events follow each other in time: the day is nearly always that of the last one.
let lastDay: { readonly text: string; readonly midnight: bigint | undefined } = {
  text: "",
  midnight: undefined,
};

function midnightOf(text: string): bigint | undefined {
  if (text !== lastDay.text) lastDay = { text, midnight: parseDate(text) };
  return lastDay.midnight;
}

/** The moment at which a day begins, or undefined if there is no such day: the 30th of February would be another one. */
function parseDate(text: string): bigint | undefined {
  const [, year = "", rest, before] = /^(\d+)(-\d\d-\d\d)( BC)?$/.exec(text) ?? [];
  const milliseconds = Date.parse(`${isoYear(year, before)}${rest}T00:00:00Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  const midnight = BigInt(milliseconds) * 1000n;
  return dateOf(midnight).join("") === text ? midnight : undefined;
}

let lastDate: { readonly midnight: bigint; readonly parts: readonly [string, string] } | undefined;

/** The date of a day, and the mark of years before Christ. There is no year 0: the one before 1 is 1 BC. */
function dateOf(midnight: bigint): readonly [string, string] {
  if (midnight !== lastDate?.midnight) {
    const date = new Date(Number(midnight / 1000n));
    const year = date.getUTCFullYear();
    const monthAndDay = date.toISOString().slice(-20, -14);
    const shown = String(year > 0 ? year : 1 - year).padStart(4, "0");
    lastDate = { midnight, parts: [shown + monthAndDay, year > 0 ? "" : " BC"] };
  }
  return lastDate.parts;
}

function isoYear(year: string, before: string | undefined): string {
  if (before !== undefined)
    return Number(year) === 1 ? "0000" : `-${String(Number(year) - 1).padStart(6, "0")}`;
  return year.length === 4 ? year : `+${year.padStart(6, "0")}`;
}
