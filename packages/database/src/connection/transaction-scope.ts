import type { Orm, SqlParameter, Transaction } from "./sql-session.ts";

/** What runs the statements of an open transaction, in the order in which they are given. */
export interface TransactionSession {
  query<Row extends object>(text: string, parameters: readonly SqlParameter[]): Promise<Row[]>;
  execute(script: string): Promise<void>;
}

/** Drizzle on a transaction, whose statements go through `guard`. */
export type OpenOrm = (guard: <T>(statement: () => Promise<T>) => Promise<T>) => Orm;

/**
 * Runs the work of a transaction that has begun, or of a savepoint in it, and rejects if any of its statements failed,
 * also when the work caught that: PostgreSQL has then undone everything, and answers COMMIT with a rollback.
 */
export async function runInScope<T>(
  session: TransactionSession,
  openOrm: OpenOrm,
  work: (transaction: Transaction) => Promise<T>,
  savepoints: { count: number } = { count: 0 },
): Promise<T> {
  let failure: { readonly error: unknown } | undefined;
  let isOver = false;
  let orm: Orm | undefined;

  async function guard<Result>(statement: () => Promise<Result>): Promise<Result> {
    if (isOver) throw new Error("The transaction is over.");
    try {
      return await statement();
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  }

  const transaction: Transaction = {
    query: <Row extends object>(text: string, parameters: readonly SqlParameter[] = []) =>
      guard(() => session.query<Row>(text, parameters)),
    execute: (script) => guard(() => session.execute(script)),
    savepoint: async (inner) => {
      savepoints.count += 1;
      const name = `synap_${savepoints.count}`;
      await guard(() => session.execute(`SAVEPOINT ${name}`));
      let result: Awaited<ReturnType<typeof inner>>;
      try {
        result = await runInScope(session, openOrm, inner, savepoints);
      } catch (error) {
        await guard(() => session.execute(`ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`));
        throw error;
      }
      await guard(() => session.execute(`RELEASE SAVEPOINT ${name}`));
      return result;
    },
    get orm() {
      orm ??= openOrm(guard);
      return orm;
    },
  };

  try {
    const result = await work(transaction);
    if (failure !== undefined) throw failure.error;
    return result;
  } finally {
    isOver = true;
  }
}
