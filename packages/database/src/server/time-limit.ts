import { DatabaseUnavailableError } from "../connection/database-errors.ts";
import { withTimeLimit } from "../time-limit.ts";

/**
 * Waits for an answer with a timeout in milliseconds. A database behind a broken network never answers and
 * never closes the connection.
 * @param onLate runs before the rejection, to cut the connection off
 * @throws DatabaseUnavailableError on timeout.
 */
export function withLimit<T>(
  answer: Promise<T>,
  milliseconds: number,
  onLate: () => void = () => {},
): Promise<T> {
  return withTimeLimit(answer, milliseconds, () => {
    onLate();
    throw new DatabaseUnavailableError(`no answer in ${milliseconds} ms`);
  });
}
