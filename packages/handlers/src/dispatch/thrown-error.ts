import { types } from "node:util";
import { isTransient } from "@synap/database/internal";
import { cleanText, readProperty, type ThrownFacts, thrownFacts } from "@synap/types";
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
const MAX_ERRORS = 100;

/**
 * What was thrown as an Error that everybody may read: loggers, drivers and JSON. An ordinary Error stays itself.
 * Anything else (a Proxy, a getter that throws, a message that isn't text, a symbol, undefined) becomes an Error made of
 * its facts, transient if the original was.
 */
export function asError(thrown: unknown): Error {
  if (isOrdinaryError(thrown)) return thrown;
  const facts = thrownFacts(thrown);
  // The database's own judgement reads the code, which the facts keep.
  if (isTransientFailure(thrown) && !isTransient({ code: facts.code })) {
    return new TransientHandlerError(facts.message);
  }
  return new ThrownValueError(facts);
}

function isOrdinaryError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) && isHarmless(value, 0);
  } catch {
    return false;
  }
}

/** What is read of an error by loggers, drivers, JSON and us. */
const READ_KEYS = ["name", "message", "code", "cause", "errors", "toJSON"] as const;

/** Whether all that is ever read of an error is plain data. */
function isHarmless(value: object, depth: number): boolean {
  if (depth > MAX_DEPTH || types.isProxy(value)) return false;
  if (!Object.values(Object.getOwnPropertyDescriptors(value)).every(isPlainProperty)) return false;
  if (READ_KEYS.some((key) => findProperty(value, key)?.get !== undefined)) return false;
  if (types.isNativeError(value) && !isHarmlessError(value, depth)) return false;
  return isHarmlessPart(findProperty(value, "cause")?.value, depth) && areHarmless(value, depth);
}

function isHarmlessError(error: Error, depth: number): boolean {
  const isText = (key: string, maxLength: number) => {
    const text: unknown = findProperty(error, key)?.value;
    // What is kept in the database is of the error itself. A cause may quote anything, as JSON.parse does.
    return typeof text === "string" && (depth > 0 || cleanText(text, maxLength) === text);
  };
  const code: unknown = findProperty(error, "code")?.value;
  const stack = readProperty(error, "stack");
  return (
    isText("name", 128) &&
    isText("message", 10_000) &&
    (code === undefined || code === null || typeof code === "number" || isText("code", 128)) &&
    (stack === undefined || typeof stack === "string")
  );
}

function areHarmless(value: object, depth: number): boolean {
  const errors: unknown = findProperty(value, "errors")?.value;
  if (errors === undefined) return true;
  if (types.isProxy(errors)) return false;
  if (!Array.isArray(errors)) return isHarmlessPart(errors, depth);
  return errors.length <= MAX_ERRORS && errors.every((error: unknown) => isHarmlessPart(error, depth));
}

function isHarmlessPart(part: unknown, depth: number): boolean {
  if ((typeof part !== "object" && typeof part !== "function") || part === null) return true;
  return isHarmless(part, depth + 1);
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
