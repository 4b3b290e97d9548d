/**
 * Runs work that has to begin in time, on a server that may be frozen or busy with other work.
 *
 * @param run calls `mayStart` when it begins, and does nothing if that is too late
 * @returns undefined when it has not begun in time
 */
export function startInTime<T>(
  milliseconds: number,
  run: (mayStart: () => boolean) => Promise<T>,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      resolve(undefined);
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
