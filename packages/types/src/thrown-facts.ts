/** A thrown value as short plain text that a log, JSON and a PostgreSQL column can hold. */
export interface ThrownFacts {
  /** The error's name; `Error` for a value that has none. At most 128 characters. */
  readonly name: string;
  /** The error's own code, if it has one. At most 128 characters. */
  readonly code?: string;
  /** The error's message, or a description of the value when it has none. Never empty, at most 10,000 characters. */
  readonly message: string;
  readonly stack?: string;
  /** Whether it was an Error. JavaScript can throw anything. */
  readonly isError: boolean;
}

const MAX_NAME = 128;
const MAX_MESSAGE = 10_000;
const MAX_STACK = 20_000;
/** How many of an AggregateError's errors its message names. */
const MAX_ERRORS = 3;
/** The most values, and the deepest nesting, that are written out of an object without a message. */
const MAX_VALUES = 1_000;
const MAX_DEPTH = 8;

/**
 * Reads anything that was thrown and never throws itself: a property whose getter throws, a Proxy, an object without a
 * prototype, a symbol and undefined are described like any other value. NUL characters and halves of surrogate pairs
 * are replaced, and long texts are cut. Takes a bounded time whatever the value's size, and runs none of its methods.
 */
export function thrownFacts(thrown: unknown): ThrownFacts {
  const isError = isErrorValue(thrown);
  const name = textProperty(thrown, "name", MAX_NAME) ?? "Error";
  const code = textProperty(thrown, "code", MAX_NAME);
  const stack = textProperty(thrown, "stack", MAX_STACK);
  const message = cleanText(messageOf(thrown, name), MAX_MESSAGE);
  return {
    name,
    ...(code !== undefined && { code }),
    message: message === "" ? name : message,
    ...(stack !== undefined && { stack }),
    isError,
  };
}

/** A property of any value; undefined when it has none or reading it throws. */
export function readProperty(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

/** Whether the value is an Error. False for one that doesn't let itself be examined. */
export function isErrorValue(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

/** The text cut to a length, with U+FFFD for what PostgreSQL's text can't hold: NUL and half a surrogate pair. */
export function cleanText(text: string, maxLength: number): string {
  return cut(text, maxLength)
    .replaceAll("\0", "\ufffd")
    .replaceAll(/\p{Surrogate}/gu, "\ufffd");
}

function messageOf(thrown: unknown, name: string): string {
  if ((typeof thrown !== "object" && typeof thrown !== "function") || thrown === null) {
    return describeValue(thrown);
  }
  const message = readProperty(thrown, "message");
  const errors = messagesOf(readProperty(thrown, "errors"));
  if (typeof message === "string") {
    const own = message === "" ? name : cut(message, MAX_MESSAGE);
    return errors === "" ? own : `${own}: ${errors}`;
  }
  if (message !== undefined) return describeValue(message);
  return isErrorValue(thrown) ? name : describeValue(thrown);
}

/** The messages of an AggregateError's errors; empty for anything else. */
function messagesOf(errors: unknown): string {
  try {
    if (!Array.isArray(errors) || errors.length === 0) return "";
    const count = errors.length;
    const shown = Array.from({ length: Math.min(count, MAX_ERRORS) }, (_, place) =>
      describeOneOf(readProperty(errors, place)),
    );
    return shown.join("; ") + (count > shown.length ? ` (and ${count - shown.length} more)` : "");
  } catch {
    return "";
  }
}

function describeOneOf(error: unknown): string {
  const message = readProperty(error, "message");
  return typeof message === "string" && message !== ""
    ? cut(message, MAX_MESSAGE)
    : cut(describeValue(error), MAX_MESSAGE);
}

/** A value as text, cut short: an object as JSON of its own data, without its `toJSON` and `toString`. */
function describeValue(value: unknown): string {
  try {
    if (typeof value === "string") return cut(value, MAX_MESSAGE);
    if (typeof value === "function") return "a function";
    // Writing out the digits takes a time that grows with the square of their number.
    if (typeof value === "bigint") return isSmall(value) ? String(value) : "a bigint of many digits";
    if (typeof value !== "object" || value === null) return String(value);
    return JSON.stringify(plainCopy(value, { left: MAX_VALUES, path: [] }));
  } catch {
    return "an object that can't be read";
  }
}

function isSmall(value: bigint): boolean {
  const limit = 10n ** 100n;
  return value < limit && value > -limit;
}

interface CopyLimits {
  /** How many more values may be copied. */
  left: number;
  /** The objects that the value is inside of. */
  readonly path: object[];
}

/** The value's own enumerable data, of which `JSON.stringify` calls nothing. Undefined for what JSON has no form for. */
function plainCopy(value: unknown, limits: CopyLimits): unknown {
  limits.left -= 1;
  if (typeof value === "string") return cut(value, MAX_MESSAGE);
  if (typeof value === "bigint") return describeValue(value);
  // Not a function either: its name may be toJSON.
  if (typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (limits.path.includes(value)) throw new TypeError("cyclic");
  if (limits.path.length >= MAX_DEPTH) return Array.isArray(value) ? "[...]" : "{...}";
  if (ArrayBuffer.isView(value)) return Object.prototype.toString.call(value);
  limits.path.push(value);
  const copy = Array.isArray(value) ? copyMembers(value, limits) : copyProperties(value, limits);
  limits.path.pop();
  return copy;
}

function copyMembers(values: readonly unknown[], limits: CopyLimits): unknown[] {
  const copy: unknown[] = [];
  for (let place = 0; place < values.length && limits.left > 0; place += 1) {
    copy.push(plainCopy(values[place], limits));
  }
  return copy;
}

function copyProperties(value: object, limits: CopyLimits): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.create(null);
  for (const key in value) {
    if (limits.left <= 0) break;
    if (Object.hasOwn(value, key)) copy[cut(key, MAX_NAME)] = plainCopy(Reflect.get(value, key), limits);
  }
  return copy;
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
}

function textProperty(value: unknown, key: string, maxLength: number): string | undefined {
  const property = readProperty(value, key);
  if (typeof property !== "string" || property === "") return undefined;
  return cleanText(property, maxLength);
}
