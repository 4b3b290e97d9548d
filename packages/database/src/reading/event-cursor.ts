import { createHash } from "node:crypto";

/** Thrown for a cursor that this store did not issue, or that belongs to another filter or order. */
export class InvalidCursorError extends Error {
  override readonly name = "InvalidCursorError";
  readonly code = "INVALID_CURSOR";

  constructor(reason: string, options?: ErrorOptions) {
    super(`The cursor is not valid: ${reason}. Start again without one.`, options);
  }
}

/** A position between two events, and the direction in which to continue. */
export interface EventCursor {
  readonly direction: "next" | "previous";
  /** Of the event at the page's edge: its time in milliseconds since 1970, and its position. */
  readonly timestamp: number;
  readonly position: number;
}

const VERSION = 1;

/** Writes a cursor for the query identified by `scope`. */
export function writeCursor(cursor: EventCursor, scope: string): string {
  const fields = [
    VERSION,
    cursor.direction === "next" ? 1 : 0,
    cursor.timestamp,
    cursor.position,
    hash(scope),
  ];
  return Buffer.from(JSON.stringify(fields)).toString("base64url");
}

/**
 * Parses a cursor.
 * @throws InvalidCursorError when it is malformed or was made for another scope.
 */
export function readCursor(text: string, scope: string): EventCursor {
  const fields = decode(text);
  const [version, direction, timestamp, position, scopeHash] = fields;
  if (fields.length !== 5 || version !== VERSION || (direction !== 0 && direction !== 1)) {
    throw new InvalidCursorError("it was not made by this store");
  }
  // A JavaScript date reaches 8.64e15 ms either way.
  if (!isSafe(timestamp, -8.64e15, 8.64e15) || !isSafe(position, 0, Number.MAX_SAFE_INTEGER)) {
    throw new InvalidCursorError("it was not made by this store");
  }
  if (scopeHash !== hash(scope)) throw new InvalidCursorError("it belongs to another filter or order");
  return { direction: direction === 1 ? "next" : "previous", timestamp, position };
}

function decode(text: string): unknown[] {
  try {
    if (!/^[\w-]{1,256}$/.test(text)) throw new Error("not base64url");
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (Array.isArray(value)) return value;
  } catch (cause) {
    throw new InvalidCursorError("it was not made by this store", { cause });
  }
  throw new InvalidCursorError("it was not made by this store");
}

function isSafe(value: unknown, low: number, high: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= low && value <= high;
}

function hash(scope: string): string {
  return createHash("sha256").update(scope).digest("base64url").slice(0, 12);
}
