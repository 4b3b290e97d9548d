import { z } from "zod";

const HEX = "[0-9a-fA-F]{1,4}";
const IPV4 = z.regexes.ipv4.source.slice(1, -1);

/** IPv6 as the parser of URLs reads it, which also takes the last 32 bits in the form of IPv4. */
const IPV6 = [
  z.regexes.ipv6.source.slice(1, -1),
  `(?:${HEX}:){6}${IPV4}`,
  `::(?:${HEX}:){0,5}${IPV4}`,
  ...[1, 2, 3, 4, 5].map((count) => `(?:${HEX}:){${count}}:(?:${HEX}:){0,${5 - count}}${IPV4}`),
].join("|");

const LABEL = "(?![xX][nN]--)[A-Za-z0-9_-]+\\.";
const HOST = `(?:(?:${LABEL})*(?![xX][nN]--)[A-Za-z_-][A-Za-z0-9_-]*\\.?|${IPV4}|\\[(?:${IPV6})\\])`;
const PORT = "(?::0*(?:\\d{0,4}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5]))?";
const USER = "(?:[^\\s@/\\\\?#]*@)?";
const SPECIAL = "(?:[hH][tT][tT][pP][sS]?|[wW][sS][sS]?|[fF][tT][pP])";
const FILE = "[fF][iI][lL][eE]";

/**
 * URLs that every parser of the WHATWG standard accepts: a host of letters, digits, `-` and `_`, or an IP address, then
 * anything; or another scheme with a path. A host in other scripts, in Punycode or with escapes is a valid URL that this
 * pattern refuses, because it takes the tables of Unicode to tell.
 */
const URL_FORM = [
  // The parser deletes tabs and line ends wherever they are.
  "^\\s*(?![\\s\\S]*[\\t\\n\\r])",
  `(?:${SPECIAL}:[/\\\\]*${USER}${HOST}${PORT}(?:[/\\\\?#][\\s\\S]*)?`,
  `|${FILE}:(?:///[\\s\\S]*|(?![/\\\\]{2})[\\s\\S]*)`,
  `|(?!(?:${SPECIAL}|${FILE}):)[A-Za-z][A-Za-z0-9+.-]*:`,
  `(?:(?!//)[\\s\\S]*|//${USER}[A-Za-z0-9._~-]+${PORT}(?:[/?#][\\s\\S]*)?))\\s*$`,
].join("");

/** Patterns of the formats that Zod checks by code instead of a pattern, and whose pattern is laxer than that code. */
export const FORMAT_PATTERNS: Readonly<Record<string, RegExp>> = {
  ipv6: new RegExp(`^(?:${IPV6})$`),
  cidrv6: new RegExp(`^(?:${IPV6})/(?:12[0-8]|1[01]\\d|[1-9]?\\d)$`),
  base64: z.regexes.base64,
  base64url: z.regexes.base64url,
  url: new RegExp(URL_FORM),
};

/** Formats that take more than a pattern: a checksum, or parsing. */
export const UNCHECKED_FORMATS: ReadonlySet<string> = new Set(["jwt", "credit_card", "iban", "json_string"]);
