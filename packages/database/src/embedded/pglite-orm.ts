import { openOrm, READ_BY_DRIZZLE, type RunStatement } from "../connection/orm.ts";
import type { Orm } from "../connection/sql-session.ts";
import { setTransaction } from "../connection/transaction-mode.ts";
import type { PgliteInThread, PgliteSession } from "./pglite-in-thread.ts";

/**
 * Drizzle on the embedded engine, or bound to a transaction on it. Not through drizzle's own driver for PGlite: that imports PGlite by
 * the name of another package than ours.
 */
export function openPgliteOrm(session: PgliteSession | PgliteInThread): Orm {
  if (!("transaction" in session)) return openOrm(runOn(session));
  return openOrm(runOn(session), (work, mode) =>
    session.transaction(async (transaction) => {
      const set = setTransaction(mode);
      if (set !== undefined) await transaction.exec(set);
      return work(runOn(transaction));
    }),
  );
}

const UNPARSED = [...READ_BY_DRIZZLE];

function runOn(session: PgliteSession): RunStatement {
  return async ({ text, parameters, rowMode }) => {
    const result = await session.query(text, parameters, { rowMode, unparsed: UNPARSED });
    return { ...result, rowCount: result.affectedRows ?? null };
  };
}
