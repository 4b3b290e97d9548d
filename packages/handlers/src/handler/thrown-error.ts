import { types } from "node:util";
import { isTransient, sqlState } from "@synap/database/internal";
import { cleanText, type ThrownFacts, thrownFacts } from "@synap/types/internal";
import { isTransientFailure, TransientHandlerError } from "./handler-errors.ts";

/** Replaces a thrown value that is not an ordinary Error. It holds the value's description as plain text, not the value. */
export class ThrownValueError extends Error {
  override readonly name: string;
  readonly code?: string;

  constructor({ name, code, message, stack }: ThrownFacts) {
    super(message);
    this.name = name;
    if (code !== undefined) this.code = code;
    if (stack !== undefined) this.stack = stack;
  }
}

/** Maximum depth of a chain of causes. */
const MAX_DEPTH = 8;
/** Maximum number of errors nested in one error. */
const MAX_NESTED = 1_000;
const MAX_NAME = 128;
/** Maximum length of a stack or of a cause's message, in characters. */
const MAX_LOGGED = 100_000;

/**
 * Converts a thrown value to an Error that loggers, drivers and JSON can read safely. An ordinary Error is returned as it
 * is. Anything else (a Proxy, a getter that throws, a message that isn't text, a stack of megabytes, a symbol, undefined)
 * becomes a new Error with its description, which is transient if the original was.
 */
export function asError(thrown: unknown): Error {
  if (isOrdinaryError(thrown)) return thrown;
  const facts = thrownFacts(thrown);
  const code = sqlState(thrown) ?? facts.code;
  // A database error stays transient by its code, which is kept.
  if (isTransientFailure(thrown) && !isTransient({ code })) return new TransientHandlerError(facts.message);
  return new ThrownValueError({ ...facts, ...(code !== undefined && { code }) });
}

function isOrdinaryError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) && isSafe(value, { depth: 0, seen: new Set() });
  } catch {
    return false;
  }
}

/** The depth of a nested value within an error, and the values already checked. */
interface Traversal {
  readonly depth: number;
  readonly seen: Set<unknown>;
}

/** The properties of an error that loggers, drivers, JSON and Synap read. */
const READ_KEYS = ["name", "message", "code", "cause", "errors", "toJSON"] as const;

/** Checks that every property that anybody reads is plain data. */
function isSafe(value: object, traversal: Traversal): boolean {
  if (traversal.depth > MAX_DEPTH || types.isProxy(value)) return false;
  // Errors that contain themselves are refused as well.
  if (traversal.seen.has(value) || traversal.seen.size >= MAX_NESTED) return false;
  traversal.seen.add(value);
  if (!Object.values(Object.getOwnPropertyDescriptors(value)).every(isPlainProperty)) return false;
  if (READ_KEYS.some((key) => findProperty(value, key)?.get !== undefined)) return false;
  if (types.isNativeError(value) && !isSafeError(value, traversal)) return false;
  return isSafeValue(findProperty(value, "cause")?.value, traversal) && areErrorsSafe(value, traversal);
}

function isSafeError(error: Error, { depth }: Traversal): boolean {
  // The database cuts the outermost message to length. The message of a cause may quote any text, as that of JSON.parse does.
  const isText = (key: string, maxLength: number) => {
    const text: unknown = findProperty(error, key)?.value;
    if (typeof text !== "string" || text.length > maxLength) return false;
    return depth > 0 || cleanText(text, maxLength) === text;
  };
  const code: unknown = findProperty(error, "code")?.value;
  return (
    isText("name", MAX_NAME) &&
    isText("message", MAX_LOGGED) &&
    (code === undefined || code === null || typeof code === "number" || isText("code", MAX_NAME)) &&
    hasSafeStack(error)
  );
}

/** Reads the stack once, because V8 formats it on first access. An accessor other than V8's own is refused. */
function hasSafeStack(error: Error): boolean {
  const stack: unknown = error.stack;
  if (stack !== undefined && !(typeof stack === "string" && stack.length <= MAX_LOGGED)) return false;
  const property = findProperty(error, "stack");
  return property?.get === undefined || property.get === OWN_STACK?.get;
}

const OWN_STACK = findProperty(new Error("any"), "stack");

function areErrorsSafe(value: object, traversal: Traversal): boolean {
  const errors: unknown = findProperty(value, "errors")?.value;
  if (errors === undefined) return true;
  if (types.isProxy(errors)) return false;
  if (!Array.isArray(errors)) return isSafeValue(errors, traversal);
  return errors.length <= MAX_NESTED && errors.every((error: unknown) => isSafeValue(error, traversal));
}

function isSafeValue(part: unknown, { depth, seen }: Traversal): boolean {
  if ((typeof part !== "object" && typeof part !== "function") || part === null) return true;
  return isSafe(part, { depth: depth + 1, seen });
}

/** Checks one property. Accessors may not be enumerable, because loggers copy every enumerable property. */
function isPlainProperty(property: PropertyDescriptor): boolean {
  return property.get === undefined || property.enumerable === false;
}

/** Finds the descriptor of an own or inherited property, without running accessors. */
function findProperty(value: object, key: string): PropertyDescriptor | undefined {
  for (let each: unknown = value; typeof each === "object" && each !== null; ) {
    if (types.isProxy(each)) throw new TypeError("a Proxy");
    const property = Object.getOwnPropertyDescriptor(each, key);
    if (property !== undefined) return property;
    each = Object.getPrototypeOf(each);
  }
  return undefined;
}
