import { DatabaseUnavailableError } from "../connection/database-errors.ts";

/**
 * Waits for an answer with a timeout in milliseconds. A database behind a broken network never answers and
 * never closes the connection.
 * @param onLate runs before the rejection, to cut the connection off
 * @throws DatabaseUnavailableError on timeout.
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
