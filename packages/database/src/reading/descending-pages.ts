import { readCursor, writeCursor } from "./cursor.ts";

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
  const conditions = Object.entries(filter).filter(([, value]) => value !== undefined);
  const scope = JSON.stringify([list, conditions.sort(([a], [b]) => (a < b ? -1 : 1))]);
  return {
    before: cursor === undefined ? undefined : readCursor(cursor, scope, [[0, Number.MAX_SAFE_INTEGER]])[0],
    next: (last) => (last === undefined ? {} : { nextCursor: writeCursor([last], scope) }),
  };
}
