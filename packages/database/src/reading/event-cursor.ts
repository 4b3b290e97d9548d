import { readCursor, writeCursor } from "./cursor.ts";

/** A position between two events, and the direction in which to continue. */
export interface EventCursor {
  readonly direction: "next" | "previous";
  /** Of the event at the page's edge: its time in milliseconds since 1970, and its position. */
  readonly timestamp: number;
  readonly position: number;
}

/** Writes a cursor for the query identified by `scope`. */
export function writeEventCursor({ direction, timestamp, position }: EventCursor, scope: string): string {
  return writeCursor([direction === "next" ? 1 : 0, timestamp, position], scope);
}

const BOUNDS = [
  [0, 1],
  // A JavaScript date reaches 8.64e15 ms either way.
  [-8.64e15, 8.64e15],
  [0, Number.MAX_SAFE_INTEGER],
] as const;

/**
 * Parses a cursor.
 * @throws InvalidCursorError when it is malformed or was made for another scope.
 */
export function readEventCursor(text: string, scope: string): EventCursor {
  const [direction, timestamp = 0, position = 0] = readCursor(text, scope, BOUNDS);
  return { direction: direction === 1 ? "next" : "previous", timestamp, position };
}
