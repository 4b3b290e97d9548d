import { types } from "node:util";
import { isTransient, sqlState } from "@synap/database/internal";
import { cleanText, type ThrownFacts, thrownFacts } from "@synap/types/internal";
import { isTransientFailure, TransientHandlerError } from "./handler-errors.ts";

/** Stands for something thrown that is no ordinary Error: its facts as plain text, and nothing of the value itself. */
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

/** Longest chain of causes that is looked through. */
const MAX_DEPTH = 8;
/** The most errors that are looked at in all, where each may hold several. */
const MAX_PARTS = 1_000;
const MAX_NAME = 128;
/** The longest text that a log writes of an error: of its stack, or of its cause. */
const MAX_LOGGED = 100_000;

/**
 * What was thrown as an Error that everybody may read: loggers, drivers and JSON. An ordinary Error stays itself.
 * Anything else (a Proxy, a getter that throws, a message that isn't text, a stack of megabytes, a symbol, undefined)
 * becomes an Error made of its facts, transient if the original was.
 */
export function asError(thrown: unknown): Error {
  if (isOrdinaryError(thrown)) return thrown;
  const facts = thrownFacts(thrown);
  const code = sqlState(thrown) ?? facts.code;
  // The database's own judgement reads the code, which is kept.
  if (isTransientFailure(thrown) && !isTransient({ code })) return new TransientHandlerError(facts.message);
  return new ThrownValueError({ ...facts, ...(code !== undefined && { code }) });
}

function isOrdinaryError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) && isHarmless(value, { depth: 0, seen: new Set() });
  } catch {
    return false;
  }
}

/** Where in an error a part of it is found, and which parts were looked at before. */
interface Place {
  readonly depth: number;
  readonly seen: Set<unknown>;
}

/** What is read of an error by loggers, drivers, JSON and us. */
const READ_KEYS = ["name", "message", "code", "cause", "errors", "toJSON"] as const;

/** Whether all that is ever read of an error is plain data. */
function isHarmless(value: object, place: Place): boolean {
  if (place.depth > MAX_DEPTH || types.isProxy(value)) return false;
  // Also refuses errors that contain themselves.
  if (place.seen.has(value) || place.seen.size >= MAX_PARTS) return false;
  place.seen.add(value);
  if (!Object.values(Object.getOwnPropertyDescriptors(value)).every(isPlainProperty)) return false;
  if (READ_KEYS.some((key) => findProperty(value, key)?.get !== undefined)) return false;
  if (types.isNativeError(value) && !isHarmlessError(value, place)) return false;
  return isHarmlessPart(findProperty(value, "cause")?.value, place) && areHarmless(value, place);
}

function isHarmlessError(error: Error, { depth }: Place): boolean {
  // Whoever keeps an error in the database cuts its message. A cause may quote anything, as JSON.parse does.
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
    hasHarmlessStack(error)
  );
}

/** V8 writes a stack out when it is first read: from then on it is that text, unless the accessor is somebody else's. */
function hasHarmlessStack(error: Error): boolean {
  const stack: unknown = error.stack;
  if (stack !== undefined && !(typeof stack === "string" && stack.length <= MAX_LOGGED)) return false;
  const property = findProperty(error, "stack");
  return property?.get === undefined || property.get === OWN_STACK?.get;
}

const OWN_STACK = findProperty(new Error("any"), "stack");

function areHarmless(value: object, place: Place): boolean {
  const errors: unknown = findProperty(value, "errors")?.value;
  if (errors === undefined) return true;
  if (types.isProxy(errors)) return false;
  if (!Array.isArray(errors)) return isHarmlessPart(errors, place);
  return errors.length <= MAX_PARTS && errors.every((error: unknown) => isHarmlessPart(error, place));
}

function isHarmlessPart(part: unknown, { depth, seen }: Place): boolean {
  if ((typeof part !== "object" && typeof part !== "function") || part === null) return true;
  return isHarmless(part, { depth: depth + 1, seen });
}

/** Loggers copy every enumerable property. A stack may be an accessor, but isn't enumerable. */
function isPlainProperty(property: PropertyDescriptor): boolean {
  return property.get === undefined || property.enumerable === false;
}

/** The property's descriptor, also an inherited one. An accessor has no value, so that nothing runs here. */
function findProperty(value: object, key: string): PropertyDescriptor | undefined {
  for (let each: unknown = value; typeof each === "object" && each !== null; ) {
    if (types.isProxy(each)) throw new TypeError("a Proxy");
    const property = Object.getOwnPropertyDescriptor(each, key);
    if (property !== undefined) return property;
    each = Object.getPrototypeOf(each);
  }
  return undefined;
}
