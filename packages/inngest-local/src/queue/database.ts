/** One connection, or one open transaction. Parameters are text, numbers, booleans or null; never arrays. */
export interface QueueSession {
  query<Row extends object>(text: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/**
 * PostgreSQL database that holds the queue: a server, or an engine embedded in the process.
 *
 * `transaction` must roll back when `work` throws. While `work` runs, the broker uses only the session it was
 * given, so an engine with a single connection may block every other query until then.
 */
export interface QueueDatabase extends QueueSession {
  transaction<T>(work: (transaction: QueueSession) => Promise<T>): Promise<T>;
}

/** Describes why a text column can't store a text: PostgreSQL rejects NUL, and drivers turn a lone surrogate into U+FFFD. */
export function findTextFault(text: string): string | undefined {
  if (text.includes("\0")) return "a NUL character (U+0000); leave it out";
  if (!text.isWellFormed()) return "half of a surrogate pair; send whole Unicode characters";
  return undefined;
}
