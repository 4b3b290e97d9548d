import { readProperty } from "@synap/types/internal";
import { sqlState } from "../connection/database-errors.ts";

/** The names of prepared statements: a text has the same name on all connections. */
export interface StatementNames {
  /** The name for a text; undefined when there are too many prepared statements already. */
  nameOf(text: string): string | undefined;
  /** Removes a name whose prepared statement can no longer be executed. */
  forget(text: string): void;
}

/** Maximum number of named statements. Others are prepared each time, so that texts with inlined values don't fill the memory. */
const MAX_STATEMENTS = 2_000;

export function createStatementNames(): StatementNames {
  const names = new Map<string, string>();
  let given = 0;
  return {
    nameOf: (text) => {
      const known = names.get(text);
      if (known !== undefined || names.size >= MAX_STATEMENTS) return known;
      given += 1;
      const name = `synap_${given}`;
      names.set(text, name);
      return name;
    },
    forget: (text) => {
      names.delete(text);
    },
  };
}

/**
 * True if a prepared statement can no longer be executed although its text can: a migration changed its result type, or
 * it was deallocated.
 */
export function isStaleStatement(error: unknown): boolean {
  const state = sqlState(error);
  if (state === "26000") return true;
  // Not by the message, "cached plan must not change result type": a server may write it in another language.
  return state === "0A000" && readProperty(error, "routine") === "RevalidateCachedQuery";
}
