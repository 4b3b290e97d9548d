import type { ExpectedVersion } from "@synap/types";
import { withLockTimeout } from "../connection/lock-timeout.ts";
import { APPENDS_CHANNEL } from "../subscriptions/append-signal.ts";

/** Waiting for locks, and waking readers. */
export interface WaitOptions {
  /** Longest time to wait for a lock, in milliseconds, here and in the rest of the transaction. */
  readonly lockTimeout?: number | undefined;
  /** Wake the readers on commit: for a transaction whose end is not ours to see. Not together with a lock timeout. */
  readonly notifies?: boolean | undefined;
}

/** The parts of a statement that calls one of the SQL functions which append. */
interface AppendCall {
  /** The columns of its answer. */
  readonly columns: string;
  /** Makes the call from the text of its last argument. */
  readonly call: (expected: string) => string;
  /** The last argument: the expected version. */
  readonly expected: string;
  /** The parameter that holds the lock timeout: the one after the last. */
  readonly lockTimeout: string;
}

// Any login can fill the server's queue of notifications, and a full one fails the commit. Readers also poll.
const NOTIFY = `CASE WHEN pg_notification_queue_usage() < 0.5 THEN pg_notify('${APPENDS_CHANNEL}', '') END AS notified`;

/** Makes the statements of an append: by the options, the text and the parameters that come after those of the call. */
export function appendStatements({ columns, call, expected, lockTimeout: parameter }: AppendCall) {
  const write = (before: string, last: string, more = "") =>
    `SELECT ${columns}${more} FROM ${before}${call(last)}`;
  const alone = write("", expected);
  const waiting = withLockTimeout(write, expected, parameter);
  const notifying = write("", expected, `, ${NOTIFY}`);
  return ({ lockTimeout, notifies = false }: WaitOptions) =>
    lockTimeout === undefined
      ? { text: notifies ? notifying : alone, parameters: [] }
      : { text: waiting, parameters: [String(lockTimeout)] };
}

/** An expected version in the encoding of the SQL functions. */
export function expectedVersion(expected: ExpectedVersion): number | null {
  if (expected === "any") return null;
  if (expected === "no-stream") return 0;
  return expected === "stream-exists" ? -1 : expected;
}
