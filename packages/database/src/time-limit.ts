/**
 * Waits for work with a time limit in milliseconds. Work that takes longer goes on, but its outcome no longer counts.
 *
 * @param onLate gives the outcome instead, or throws it
 */
export async function withTimeLimit<Result>(
  work: Promise<Result>,
  milliseconds: number,
  onLate: () => Result,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  try {
    return await Promise.race([work, late.then(onLate)]);
  } finally {
    clearTimeout(timer);
  }
}
