import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@synap/database";

/** Somebody with a transaction open, who has written something else and takes for ever. */
export interface Bystander {
  /** Rolls it back. */
  leave(): Promise<void>;
}

/**
 * Keeps a transaction open that has a number of its own and appends nothing: a reader that waited for the oldest
 * running transaction would get nothing for as long as it stays.
 */
export async function placeBystander(database: Database): Promise<Bystander> {
  const gone = new AbortController();
  const leaving = new Error("The bystander leaves.");
  let isThere: (() => void) | undefined;
  const there = new Promise<void>((resolve) => {
    isThere = resolve;
  });
  const stay = database.transaction(async (transaction) => {
    await transaction.query(`INSERT INTO synap.checkpoints (handler, "position") VALUES ('bystander', 0)`);
    isThere?.();
    while (!gone.signal.aborted) {
      await transaction.query("SELECT 1");
      await sleep(5_000, undefined, { signal: gone.signal }).catch(() => undefined);
    }
    throw leaving;
  });
  const left = stay.catch((error: unknown) => {
    if (error !== leaving) throw error;
  });
  await Promise.race([there, left]);
  // Whoever stays for longer than the database may break off; that is told when the bystander leaves.
  left.catch(() => undefined);
  return {
    leave: async () => {
      gone.abort();
      await left;
    },
  };
}
