import { DatabaseUnavailableError } from "./database-errors.ts";

/**
 * Waits for an answer, and for so many milliseconds at the most. A database behind a broken network never answers and
 * never hangs up.
 * @param onLate runs before the rejection: it cuts off what can't be waited for
 * @throws DatabaseUnavailableError when it is late.
 */
export async function withLimit<T>(
  answer: Promise<T>,
  milliseconds: number,
  onLate: () => void = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      onLate();
      reject(new DatabaseUnavailableError(`no answer in ${milliseconds} ms`));
    }, milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
