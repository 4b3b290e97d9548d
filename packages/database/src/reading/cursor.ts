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
 * Writes the cursor of a list: the place between two of its rows, as whole numbers. Callers see text whose content may change.
 *
 * @param scope identifies the list with its filter and order; only a list of the same scope reads the cursor
 */
export function writeCursor(place: readonly number[], scope: string): string {
  return Buffer.from(JSON.stringify([VERSION, ...place, hash(scope)])).toString("base64url");
}

/**
 * Parses a cursor into its place.
 *
 * @param bounds the lowest and highest value of each number
 * @throws InvalidCursorError when it is malformed or was made for another scope
 */
export function readCursor(
  text: string,
  scope: string,
  bounds: readonly (readonly [low: number, high: number])[],
): number[] {
  const fields = decode(text);
  const place = fields.slice(1, -1).filter(Number.isSafeInteger).map(Number);
  const isWhole = place.length === bounds.length && fields.length === bounds.length + 2;
  const isWithin = bounds.every(([low, high], index) => {
    const value = place[index];
    return value !== undefined && value >= low && value <= high;
  });
  if (fields[0] !== VERSION || !isWhole || !isWithin) throw new InvalidCursorError(FOREIGN);
  if (fields.at(-1) !== hash(scope)) throw new InvalidCursorError("it belongs to another filter or order");
  return place;
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
