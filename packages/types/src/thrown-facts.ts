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

/**
 * Reads anything that was thrown and never throws itself: a property whose getter throws, a Proxy, an object without a
 * prototype, a symbol and undefined are described like any other value. NUL characters and halves of surrogate pairs
 * are replaced, and long texts are cut.
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
  const cut = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return cut.replaceAll("\0", "\ufffd").replaceAll(/\p{Surrogate}/gu, "\ufffd");
}

function messageOf(thrown: unknown, name: string): string {
  if ((typeof thrown !== "object" && typeof thrown !== "function") || thrown === null) {
    return describeValue(thrown);
  }
  const message = readProperty(thrown, "message");
  const errors = messagesOf(readProperty(thrown, "errors"));
  if (typeof message === "string") {
    const own = message === "" ? name : message;
    return errors === "" ? own : `${own}: ${errors}`;
  }
  if (message !== undefined) return describeValue(message);
  return isErrorValue(thrown) ? name : describeValue(thrown);
}

/** The messages of an AggregateError's errors; empty for anything else. */
function messagesOf(errors: unknown): string {
  try {
    if (!Array.isArray(errors) || errors.length === 0) return "";
    const shown = errors.slice(0, MAX_ERRORS).map((error: unknown) => {
      const message = readProperty(error, "message");
      return typeof message === "string" && message !== "" ? message : describeValue(error);
    });
    const rest = errors.length - shown.length;
    return shown.join("; ") + (rest > 0 ? ` (and ${rest} more)` : "");
  } catch {
    return "";
  }
}

function describeValue(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    if (typeof value !== "object" || value === null) return String(value);
    return JSON.stringify(value) ?? Object.prototype.toString.call(value);
  } catch {
    return typeof value === "function" ? "a function" : "an object that can't be read";
  }
}

function textProperty(value: unknown, key: string, maxLength: number): string | undefined {
  const property = readProperty(value, key);
  if (typeof property !== "string" || property === "") return undefined;
  return cleanText(property, maxLength);
}
