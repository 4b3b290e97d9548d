import { beforeStatement, type OwnSettings, registerScope, type SettingsScope } from "./own-settings.ts";
import { changesSession } from "./session-settings.ts";
import type { Orm, SqlParameter, Transaction } from "./sql-session.ts";
import {
  createSavepointName,
  isSavepointGone,
  mayControl,
  refuseControl,
  refuseScriptControl,
  TransactionEndedError,
} from "./transaction-control.ts";

/** The session of an open transaction, which runs statements in order. */
export interface TransactionSession {
  query<Row extends object>(text: string, parameters: readonly SqlParameter[]): Promise<Row[]>;
  execute(script: string): Promise<void>;
  /** Runs the store's own statements that create and end savepoints. */
  control(statements: readonly string[]): Promise<void>;
  /** Reports other statements that began or ended transactions or savepoints. Absent if the engine doesn't report them. */
  isEnded?(): boolean;
  /** Restores the session's initial settings. Called at the end if a statement may have changed some. */
  restore?(): Promise<void>;
}

/** Runs one statement of a transaction, whose text is passed too. */
export type Guard = <T>(text: string, statement: () => Promise<T>) => Promise<T>;

/** Drizzle on a transaction, whose statements go through `guard`. */
export type OpenOrm = (guard: Guard) => Orm;

/** The state shared by a transaction and its savepoints. */
interface Progress {
  savepoints: number;
  hasChangedSettings: boolean;
  /** The settings of the part of the work that runs, if it has its own. */
  own?: OwnSettings | undefined;
}

/**
 * Runs the work of an open transaction, and rejects if any of its statements failed, even when the work caught
 * the error: PostgreSQL has then aborted the transaction, and answers COMMIT with a rollback. Session settings that the work
 * may have changed are restored, because they would outlive the transaction.
 */
export async function runInScope<T>(
  session: TransactionSession,
  openOrm: OpenOrm,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const progress: Progress = { savepoints: 0, hasChangedSettings: false };
  let result: T;
  try {
    result = await runScope(session, openOrm, work, progress);
  } catch (error) {
    if (!(error instanceof TransactionEndedError) && session.isEnded?.() === true)
      throw new TransactionEndedError(undefined, { cause: error });
    throw error;
  }
  if (session.isEnded?.() === true) throw new TransactionEndedError();
  if (progress.hasChangedSettings) await session.restore?.();
  return result;
}

async function runScope<T>(
  session: TransactionSession,
  openOrm: OpenOrm,
  work: (transaction: Transaction) => Promise<T>,
  progress: Progress,
): Promise<T> {
  let failure: { readonly error: unknown } | undefined;
  let isOver = false;
  let orm: Orm | undefined;
  const scope: SettingsScope = {
    query: (text, parameters) => session.query(text, parameters),
    progress,
  };

  async function run<Result>(
    text: string,
    check: (text: string) => void,
    statement: () => Promise<Result>,
  ): Promise<Result> {
    if (isOver) throw new Error("The transaction is over.");
    progress.hasChangedSettings ||= changesSession(text);
    try {
      check(text);
      const settings = beforeStatement(scope, text);
      if (settings !== undefined) await settings;
      return await statement();
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  }

  const guard: Guard = (text, statement) => run(text, refuseControl, statement);
  const control = (...statements: string[]) =>
    run(
      statements.join("; "),
      () => {},
      () => session.control(statements),
    );

  /** Ends a savepoint. If it is gone, the transaction was ended by a statement that the lexer missed. */
  async function endSavepoint(cause: unknown, ...statements: string[]): Promise<void> {
    try {
      await control(...statements);
    } catch (error) {
      if (cause instanceof TransactionEndedError) throw cause;
      if (!isSavepointGone(error)) throw error;
      failure = { error: new TransactionEndedError(undefined, { cause: cause ?? error }) };
      throw failure.error;
    }
  }

  /** Detects that a script ended the transaction, by a savepoint with an unguessable name. */
  async function executeBetweenSavepoints(script: string): Promise<void> {
    const name = createSavepointName();
    await session.control([`SAVEPOINT ${name}`]);
    try {
      await session.execute(script);
    } catch (error) {
      await endSavepoint(error, `ROLLBACK TO SAVEPOINT ${name}`, `RELEASE SAVEPOINT ${name}`);
      throw error;
    }
    await endSavepoint(undefined, `RELEASE SAVEPOINT ${name}`);
  }

  const transaction: Transaction = {
    query: <Row extends object>(text: string, parameters: readonly SqlParameter[] = []) =>
      guard(text, () => session.query<Row>(text, parameters)),
    execute: (script) =>
      run(script, refuseScriptControl, () =>
        session.isEnded === undefined && mayControl(script)
          ? executeBetweenSavepoints(script)
          : session.execute(script),
      ),
    savepoint: async (inner) => {
      progress.savepoints += 1;
      const name = `synap_${progress.savepoints}`;
      await control(`SAVEPOINT ${name}`);
      let result: Awaited<ReturnType<typeof inner>>;
      try {
        result = await runScope(session, openOrm, inner, progress);
      } catch (error) {
        await endSavepoint(error, `ROLLBACK TO SAVEPOINT ${name}`, `RELEASE SAVEPOINT ${name}`);
        throw error;
      }
      await endSavepoint(undefined, `RELEASE SAVEPOINT ${name}`);
      return result;
    },
    get orm() {
      orm ??= openOrm(guard);
      return orm;
    },
  };

  registerScope(transaction, scope);
  try {
    const result = await work(transaction);
    if (failure !== undefined) throw failure.error;
    return result;
  } finally {
    isOver = true;
  }
}
