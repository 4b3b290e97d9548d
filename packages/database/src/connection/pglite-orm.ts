import type { PGlite, QueryOptions } from "@electric-sql/pglite";
import { PgDatabase } from "drizzle-orm/pg-core";
import { PgliteSession as DrizzleSession } from "drizzle-orm/pglite";
import type { PgliteInThread, PgliteSession } from "./pglite-in-thread.ts";
import { dialect, relationalSchema } from "./relational-schema.ts";
import { checkTexts } from "./sql-parameters.ts";
import type { Orm, SqlParameter } from "./sql-session.ts";

/** Drizzle on the embedded engine, or bound to a transaction on it. */
export function openPgliteOrm(session: PgliteSession | PgliteInThread): Orm {
  // Drizzle's driver names PGlite's class as its client and calls these two methods of it.
  const client = asClient(session) as unknown as PGlite;
  return new PgDatabase(dialect, new DrizzleSession(client, dialect, relationalSchema), relationalSchema);
}

function asClient(session: PgliteSession | PgliteInThread) {
  return {
    /** Drizzle passes parser functions that leave a type as text; only the types can be sent to the thread. */
    query: async (text: string, parameters: SqlParameter[], { rowMode, parsers = {} }: QueryOptions = {}) => {
      checkTexts(parameters);
      return session.query(text, parameters, { rowMode, unparsed: Object.keys(parsers).map(Number) });
    },
    transaction: <T>(work: (client: unknown) => Promise<T>): Promise<T> => {
      if (!("transaction" in session)) throw new Error("Transactions can't be nested: use a savepoint.");
      return session.transaction((transaction) => work(asClient(transaction)));
    },
  };
}
