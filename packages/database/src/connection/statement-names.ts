import { sqlState } from "./database-errors.ts";

/** The names under which connections keep statements prepared: each text has one on all of them. */
export interface StatementNames {
  /** Undefined: not to be kept, because a connection keeps enough already. */
  nameOf(text: string): string | undefined;
  /** Lets go of a name: what the server keeps under it can't be run any more. */
  forget(text: string): void;
}

/** Texts beyond these are prepared each time: who writes values into texts would fill the memory of every connection. */
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
 * Whether a prepared statement can't be run any more, though the text may: a migration changed what it answers, or
 * somebody deallocated it.
 */
export function isStaleStatement(error: unknown): boolean {
  const state = sqlState(error);
  if (state === "26000") return true;
  return state === "0A000" && error instanceof Error && /cached plan must not change/.test(error.message);
}
