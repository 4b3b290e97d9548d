import { UnreadableValueError } from "./database-errors.ts";
import { readMoment } from "./moments.ts";
import type { SqlParameter } from "./sql-session.ts";

/** OIDs of the types that are parsed. */
export const TYPE = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  jsonb: 3802,
} as const;

/** Parsers by type. An int8 becomes a number, which is large enough for positions. */
const READERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [TYPE.bool, (text) => text === "t"],
  [TYPE.bytea, (text) => Buffer.from(text.slice(2), "hex")],
  [TYPE.int8, Number],
  [TYPE.int2, Number],
  [TYPE.int4, Number],
  [TYPE.oid, Number],
  [TYPE.float4, Number],
  [TYPE.float8, Number],
  [TYPE.json, parseJson],
  [TYPE.jsonb, parseJson],
  [TYPE.date, (text) => readDay("date", text)],
  [TYPE.timestamp, (text) => readDay("timestamp", text)],
  [TYPE.timestamptz, readMoment],
]);

/** The parser of a type; types without one stay text. */
export function readerOf(type: number): (text: string) => unknown {
  return READERS.get(type) ?? identity;
}

/** Formats a parameter as text, which the server parses as the statement's type. */
export function writeParameter(parameter: SqlParameter): string | null {
  if (parameter === null) return null;
  return parameter instanceof Date ? parameter.toISOString() : String(parameter);
}

function identity(text: string): string {
  return text;
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

/** Parses a date, or a time without a zone, as UTC. */
function readDay(type: "date" | "timestamp", text: string): Date {
  if (!/^\d{4,6}-\d\d-\d\d(?: |$)/.test(text)) throw new UnreadableValueError(type, text);
  return readMoment(type === "date" ? `${text} 00:00:00+00` : `${text}+00`);
}
