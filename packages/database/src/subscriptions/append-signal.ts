import type { Database } from "../connection/sql-session.ts";

/** The channel that is notified after appends. */
export const APPENDS_CHANNEL = "synap_appends";

/** Minimum time between two notifications of a process, in milliseconds. */
const PAUSE = 5;

/**
 * Creates the signal with which a store wakes readers after its appends have committed: at once, and then at most
 * every 5 ms, however many appends there are. It is a separate statement, because transactions that notify commit one
 * after the other. If the process dies in between, the notification is lost: readers poll as well.
 */
export function createAppendSignal(database: Database): () => void {
  let isWanted = false;
  let isAtWork = false;

  async function work(): Promise<void> {
    isAtWork = true;
    while (isWanted) {
      isWanted = false;
      // The append was confirmed already; readers that miss the notification find the events by polling.
      await database.query("SELECT pg_notify($1, '')", [APPENDS_CHANNEL]).catch(() => {});
      await pause();
    }
    isAtWork = false;
  }

  return () => {
    isWanted = true;
    if (!isAtWork) void work();
  };
}

/** Keeps no process alive. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE).unref());
}
