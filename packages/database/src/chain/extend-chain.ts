import type { SqlSession } from "../connection/sql-session.ts";

/** Maximum number of events of a block. Digesting them takes about 0.05 s on the embedded engine, which does nothing else meanwhile. */
const BLOCK_EVENTS = 5_000;

/**
 * Adds the next block to the hash chain over the log.
 *
 * @returns false when no event is left, or another process extends the chain
 */
export async function extendChain(session: SqlSession): Promise<boolean> {
  const [row] = await session.query<{ more: boolean }>("SELECT synap.extend_chain($1) AS more", [
    BLOCK_EVENTS,
  ]);
  return row?.more ?? false;
}
