import type { Database } from "../connection/sql-session.ts";

/** Channel that is notified after appends. */
export const APPENDS_CHANNEL = "synap_appends";

/** Minimum time between two notifications of a process, in milliseconds. */
const PAUSE = 5;

/**
 * Creates a function that wakes readers after a committed append: at once, and then at most every 5 ms. It runs a separate
 * statement, because transactions that notify commit one after the other. If the process dies in between, the notification
 * is lost, and readers find the events by polling.
 */
export function createAppendSignal(database: Database): () => void {
  let isPending = false;
  let isSending = false;

  async function send(): Promise<void> {
    isSending = true;
    while (isPending) {
      isPending = false;
      // The append was confirmed already; readers that miss the notification find the events by polling.
      await database.query("SELECT pg_notify($1, '')", [APPENDS_CHANNEL]).catch(() => {});
      await pause();
    }
    isSending = false;
  }

  return () => {
    isPending = true;
    if (!isSending) void send();
  };
}

/** Waits without keeping the process alive. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE).unref());
}
