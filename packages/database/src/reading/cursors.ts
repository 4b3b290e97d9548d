import { createHash } from "node:crypto";

/** Thrown for a cursor that this store did not issue, or that belongs to another filter or order. */
export class InvalidCursorError extends Error {
  override readonly name = "InvalidCursorError";
  readonly code = "INVALID_CURSOR";

  constructor(reason: string, options?: ErrorOptions) {
    super(`The cursor is not valid: ${reason}. Start again without one.`, options);
  }
}

const VERSION = 1;
const FOREIGN = "it was not made by this store";

/**
 * Writes the cursor of a list: the key between two of its rows, as whole numbers. Callers see text whose content may change.
 *
 * @param scope identifies the list with its filter and order; only a list of the same scope reads the cursor
 */
function writeCursor(key: readonly number[], scope: string): string {
  return Buffer.from(JSON.stringify([VERSION, ...key, hash(scope)])).toString("base64url");
}

/**
 * Parses a cursor into its key.
 *
 * @param bounds the lowest and highest value of each number
 * @throws InvalidCursorError when it is malformed or was made for another scope
 */
function readCursor(
  text: string,
  scope: string,
  bounds: readonly (readonly [low: number, high: number])[],
): number[] {
  const fields = decode(text);
  const key = fields.slice(1, -1).filter(Number.isSafeInteger).map(Number);
  const isWhole = key.length === bounds.length && fields.length === bounds.length + 2;
  const isWithin = bounds.every(([low, high], index) => {
    const value = key[index];
    return value !== undefined && value >= low && value <= high;
  });
  if (fields[0] !== VERSION || !isWhole || !isWithin) throw new InvalidCursorError(FOREIGN);
  if (fields.at(-1) !== hash(scope)) throw new InvalidCursorError("it belongs to another filter or order");
  return key;
}

function decode(text: string): unknown[] {
  try {
    if (!/^[\w-]{1,256}$/.test(text)) throw new Error("not base64url");
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (Array.isArray(value)) return value;
  } catch (cause) {
    throw new InvalidCursorError(FOREIGN, { cause });
  }
  throw new InvalidCursorError(FOREIGN);
}

function hash(scope: string): string {
  return createHash("sha256").update(scope).digest("base64url").slice(0, 12);
}

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
  // Events are from the years 1970 to 9999.
  [0, Date.UTC(9999, 11, 31, 23, 59, 59, 999)],
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

/** Cursors of a list in descending order of a number that each row has once, such as its position. */
export interface DescendingPages {
  /** The number below which the page of a cursor begins; undefined for the first page. @throws InvalidCursorError */
  readonly before: number | undefined;
  /** The cursor of the page after the row with this number; none after the last page, where it is undefined. */
  next(last: number | undefined): { readonly nextCursor?: string };
}

/**
 * The cursors of one request for a page of a descending list.
 *
 * @param list the list, and its filter: a cursor is refused by another one
 * @throws InvalidCursorError
 */
export function descendingPages(
  list: string,
  filter: Readonly<Record<string, string | undefined>>,
  cursor: string | undefined,
): DescendingPages {
  const { key, next } = numberedPages(list, filter, cursor);
  return { before: key, next };
}

/** Cursors of a list in ascending order of such a number. */
export interface AscendingPages extends Pick<DescendingPages, "next"> {
  /** The number above which the page of a cursor begins; undefined for the first page. */
  readonly after: number | undefined;
}

/** The cursors of one request for a page of an ascending list; see `descendingPages`. @throws InvalidCursorError */
export function ascendingPages(
  list: string,
  filter: Readonly<Record<string, string | undefined>>,
  cursor: string | undefined,
): AscendingPages {
  const { key, next } = numberedPages(list, filter, cursor);
  return { after: key, next };
}

function numberedPages(
  list: string,
  filter: Readonly<Record<string, string | undefined>>,
  cursor: string | undefined,
): Pick<DescendingPages, "next"> & { readonly key: number | undefined } {
  const conditions = Object.entries(filter).filter(([, value]) => value !== undefined);
  const scope = JSON.stringify([list, conditions.sort(([a], [b]) => (a < b ? -1 : 1))]);
  return {
    key: cursor === undefined ? undefined : readCursor(cursor, scope, [[0, Number.MAX_SAFE_INTEGER]])[0],
    next: (last) => (last === undefined ? {} : { nextCursor: writeCursor([last], scope) }),
  };
}
