/** A thrown value as short plain text that a log, JSON and a PostgreSQL column can hold. */
export interface ThrownFacts {
  /** The error's name; `Error` for a value that has none. At most 128 characters. */
  readonly name: string;
  /** The error's own code, if it has one. At most 128 characters. */
  readonly code?: string;
  /** The error's message, or a description of the value when it has none. Never empty, at most 10,000 characters. */
  readonly message: string;
  readonly stack?: string;
  /** True for an Error. JavaScript can throw any value. */
  readonly isError: boolean;
}

const MAX_NAME = 128;
const MAX_MESSAGE = 10_000;
const MAX_STACK = 20_000;
/** Maximum number of an AggregateError's errors named in its message. */
const MAX_ERRORS = 3;
/** Maximum number of values, and maximum nesting, written from an object without a message. */
const MAX_VALUES = 1_000;
const MAX_DEPTH = 8;

/**
 * Describes any thrown value without ever throwing: a property whose getter throws, a Proxy, an object without a
 * prototype, a symbol and undefined are handled like any other value. NUL characters and lone surrogates
 * are replaced, and long texts are cut. Takes bounded time whatever the value's size, and calls none of its methods.
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

/** Reads a property of any value; undefined when it has none or reading it throws. */
export function readProperty(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

/** True for an Error. False for a value that can't be examined. */
export function isErrorValue(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

/** Cuts a text to a length and replaces NUL and lone surrogates, which PostgreSQL's text can't hold, with U+FFFD. */
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
    const shown = Array.from({ length: Math.min(count, MAX_ERRORS) }, (_, index) =>
      describeOneOf(readProperty(errors, index)),
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

/** Describes a value as short text: an object as JSON of its own data, without calling its `toJSON` or `toString`. */
function describeValue(value: unknown): string {
  try {
    if (typeof value === "string") return cut(value, MAX_MESSAGE);
    if (typeof value === "function") return "a function";
    // Formatting takes time quadratic in the number of digits.
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
  /** Number of values that may still be copied. */
  left: number;
  /** The objects that contain the value. */
  readonly path: object[];
}

/** Copies the value's own enumerable data, so that none of its methods is called. Undefined for what JSON can't represent. */
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
  for (let index = 0; index < values.length && limits.left > 0; index += 1) {
    copy.push(plainCopy(values[index], limits));
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
