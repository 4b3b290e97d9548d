import { DatabaseUnavailableError } from "../connection/database-errors.ts";

/**
 * Runs work that has to begin in time. A server that is frozen accepts work and never begins it.
 *
 * @param run calls `mayStart` when it begins, and does nothing if that is too late
 * @throws DatabaseUnavailableError when it has not begun in time
 */
export function startInTime<T>(
  milliseconds: number,
  run: (mayStart: () => boolean) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new DatabaseUnavailableError(`it has not begun to answer in ${milliseconds} ms`));
    }, milliseconds);
    const mayStart = () => {
      clearTimeout(timer);
      return !isLate;
    };
    run(mayStart)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
