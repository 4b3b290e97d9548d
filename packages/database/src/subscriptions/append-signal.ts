import type { Database } from "../connection/sql-session.ts";

/** What is notified when something was appended. */
export const APPENDS_CHANNEL = "synap_appends";

/** The shortest time between two notifications of one process, in milliseconds. */
const PAUSE = 5;

/**
 * Makes the signal by which a store wakes the readers after its appends have been committed: at once, and then at most
 * every 5 ms, however many appends there are. It is a statement of its own, because transactions that notify commit one
 * after the other. A process that dies in between wakes nobody: readers poll as well.
 */
export function createAppendSignal(database: Database): () => void {
  let isWanted = false;
  let isAtWork = false;

  async function work(): Promise<void> {
    isAtWork = true;
    while (isWanted) {
      isWanted = false;
      // The append was answered already; whoever misses the notification finds the events by polling.
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
