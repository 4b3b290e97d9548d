import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@synap/database";

/** An open transaction that has written something other than events. */
export interface IdleTransaction {
  /** Rolls it back. @throws the database's error when it ended earlier */
  end(): Promise<void>;
}

/**
 * Keeps a transaction open that has a transaction id and appends nothing. A reader that waited for the oldest running
 * transaction would get nothing until it ends.
 */
export async function openIdleTransaction(database: Database): Promise<IdleTransaction> {
  const ending = new AbortController();
  const rollback = new Error("The idle transaction is rolled back.");
  let onOpen: (() => void) | undefined;
  const opened = new Promise<void>((resolve) => {
    onOpen = resolve;
  });
  const transaction = database.transaction(async (session) => {
    await session.query(`INSERT INTO synap.checkpoints (handler, "position") VALUES ('idle-transaction', 0)`);
    onOpen?.();
    while (!ending.signal.aborted) {
      await session.query("SELECT 1");
      await sleep(5_000, undefined, { signal: ending.signal }).catch(() => undefined);
    }
    throw rollback;
  });
  const ended = transaction.catch((error: unknown) => {
    if (error !== rollback) throw error;
  });
  await Promise.race([opened, ended]);
  // The database may end a transaction that is idle for too long; `end` reports that.
  ended.catch(() => undefined);
  return {
    end: async () => {
      ending.abort();
      await ended;
    },
  };
}
