/**
 * Maximum number of significant digits of a double in programs that don't write the shortest form (`%.17g`). JavaScript parses
 * such a text to the same double, so it counts as exact.
 */
const DIGITS_OF_A_DOUBLE = 17;

/**
 * Checks that JavaScript keeps a JSON number: it has the same value after `JSON.parse`, or is a double with all its digits. Not
 * kept are numbers with more digits than a double has, and those that become zero or infinite.
 */
export function isExactNumber(literal: string): boolean {
  const sent = readDecimal(literal);
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  const kept = readDecimal(String(value));
  if (sent.digits === kept.digits && sent.exponent === kept.exponent) return true;
  return value !== 0 && !Number.isInteger(value) && sent.digits.length <= DIGITS_OF_A_DOUBLE;
}

/** Parses the number as digits without zeros at either end, times ten to the power of `exponent`. */
function readDecimal(literal: string): { digits: string; exponent: number } {
  const [, whole = "", fraction = "", power = "0"] =
    /^-?(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(literal) ?? [];
  const written = (whole + fraction).replace(/^0+/, "");
  const digits = trimZeros(written);
  if (digits === "") return { digits: "", exponent: 0 };
  return { digits, exponent: Number(power) - fraction.length + written.length - digits.length };
}

// Not a regular expression: /0+$/ takes quadratic time on a long run of zeros before another digit.
function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end -= 1;
  return digits.slice(0, end);
}
