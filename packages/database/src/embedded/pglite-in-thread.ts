import { Worker } from "node:worker_threads";
import { DatabaseUnavailableError } from "../connection/database-errors.ts";
import type { SqlParameter } from "../connection/sql-session.ts";
import { readerOf, TYPE } from "../connection/wire-types.ts";
import { notify } from "../observers.ts";
import { compiledEngine } from "./compiled-engine.ts";
import type { DataDirectoryImage } from "./data-directory-image.ts";
import type {
  PgliteAnswer,
  PgliteFault,
  PgliteQueryOptions,
  PgliteRequest,
  PgliteResult,
} from "./pglite-requests.ts";

/** A session that runs SQL on the engine: the engine itself, or a transaction on it. */
export interface PgliteSession {
  /** @throws Error with PostgreSQL's fields (`code`, `detail`, ...); DatabaseUnavailableError when the thread has ended. */
  query<Row extends object>(
    text: string,
    parameters?: readonly SqlParameter[],
    options?: PgliteQueryOptions,
  ): Promise<PgliteResult<Row>>;
  /** Runs a script of several statements. */
  exec(text: string): Promise<void>;
}

/** The embedded engine in a separate thread. One session: while a transaction is open, everything else waits. */
export interface PgliteInThread extends PgliteSession {
  /** @param opening the script that opens the transaction, sent with its first statement. Default `BEGIN`. */
  transaction<T>(work: (transaction: PgliteSession) => Promise<T>, opening?: string): Promise<T>;
  /** @returns a function that stops listening. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  /** Resolves when the engine has crashed: every request fails from then on. */
  readonly failed: Promise<DatabaseUnavailableError>;
  close(): Promise<void>;
}

type Unnumbered<Request> = Request extends unknown ? Omit<Request, "id"> : never;

/**
 * Starts the embedded engine in a separate thread: PostgreSQL compiled to WebAssembly blocks its thread while a
 * statement runs, and would block the rest of the process, HTTP included.
 *
 * @param dataDirectory undefined: in memory
 * @param image the image that an in-memory engine starts from; undefined: an empty cluster
 * @throws PGlite's error when the directory can't be opened.
 */
export async function openPgliteInThread(
  dataDirectory: string | undefined,
  image?: DataDirectoryImage,
): Promise<PgliteInThread> {
  const thread = new Worker(new URL("./pglite-thread.mjs", import.meta.url), {
    workerData: { dataDirectory, image },
    // The thread must not inherit the module loaders of this process.
    execArgv: [],
  });
  const waiting = new Map<
    number,
    { resolve(result: PgliteResult | undefined): void; reject(error: Error): void }
  >();
  const listeners = new Map<string, Set<(payload: string) => void>>();
  let sent = 0;
  let gone: DatabaseUnavailableError | undefined;
  let isClosing = false;
  let resolveFailed = (_error: DatabaseUnavailableError): void => {};
  const failed = new Promise<DatabaseUnavailableError>((resolve) => {
    resolveFailed = resolve;
  });

  thread.on("message", (answer: PgliteAnswer) => {
    if ("channel" in answer) {
      for (const onNotify of listeners.get(answer.channel) ?? []) notify(onNotify, answer.payload);
      return;
    }
    if ("dead" in answer) {
      markGone(new DatabaseUnavailableError(`the embedded engine has crashed: ${answer.dead}`));
      void thread.terminate();
      return;
    }
    const request = waiting.get(answer.id);
    waiting.delete(answer.id);
    // An idle engine must not keep the process alive.
    if (waiting.size === 0) thread.unref();
    if ("error" in answer) request?.reject(toError(answer.error));
    else request?.resolve(answer.result);
  });
  function markGone(error: DatabaseUnavailableError): void {
    gone ??= error;
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
    if (!isClosing) resolveFailed(gone);
  }
  thread.on("messageerror", (error) =>
    markGone(new DatabaseUnavailableError("its thread sent an unreadable message", { cause: error })),
  );
  thread.on("error", (error) =>
    markGone(new DatabaseUnavailableError("its thread failed", { cause: error })),
  );
  thread.on("exit", () => markGone(new DatabaseUnavailableError("its thread has ended")));

  function send(request: Unnumbered<PgliteRequest>): Promise<PgliteResult | undefined> {
    if (gone !== undefined) return Promise.reject(gone);
    sent += 1;
    const id = sent;
    thread.ref();
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      thread.postMessage({ ...request, id });
    });
  }

  /** @param opening a script to run first, in the same request */
  function openSession(opening: () => string | undefined): PgliteSession {
    return {
      query: async <Row extends object>(
        text: string,
        parameters: readonly SqlParameter[] = [],
        options: PgliteQueryOptions = {},
      ) => {
        const result = await send({ kind: "query", text, parameters, ...options, opening: opening() });
        if (result === undefined) throw new Error("The engine returned no result.");
        return readMoments(result as PgliteResult<Row>, options);
      },
      exec: async (text) => {
        await send({ kind: "exec", text, opening: opening() });
      },
    };
  }
  const session = openSession(() => undefined);

  /** Resolves when all transactions so far have sent their last request. */
  let transactionsBefore: Promise<void> = Promise.resolve();

  /** Sends a request outside transactions. The thread preserves the order, so it waits only until it may be sent. */
  async function outside<T>(request: () => Promise<T>): Promise<T> {
    await transactionsBefore;
    return request();
  }

  async function transaction<T>(
    work: (transaction: PgliteSession) => Promise<T>,
    opening = "BEGIN",
  ): Promise<T> {
    const before = transactionsBefore;
    let end = (): void => {};
    transactionsBefore = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    let state: "unopened" | "open" | "over" = "unopened";
    const open = (): string | undefined => {
      if (state === "over") throw new Error("The transaction is over.");
      const isFirst = state === "unopened";
      state = "open";
      return isFirst ? opening : undefined;
    };
    const finish = (script: "COMMIT" | "ROLLBACK"): Promise<void> => {
      const finished = state === "open" ? session.exec(script) : Promise.resolve();
      state = "over";
      end();
      return finished;
    };
    let result: T;
    try {
      result = await work(openSession(open));
    } catch (error) {
      await finish("ROLLBACK").catch(() => {});
      throw error;
    }
    await finish("COMMIT");
    return result;
  }

  try {
    await send({ kind: "open", wasm: await compiledEngine() });
  } catch (error) {
    await thread.terminate();
    throw error;
  }

  return {
    query: (text, parameters, options) => outside(() => session.query(text, parameters, options)),
    exec: (text) => outside(() => session.exec(text)),
    transaction,
    listen: async (channel, onNotify) => {
      const own = listeners.get(channel) ?? new Set();
      listeners.set(channel, own);
      own.add(onNotify);
      await outside(() => send({ kind: "listen", channel }));
      return async () => {
        own.delete(onNotify);
        if (own.size === 0) await outside(() => send({ kind: "unlisten", channel }));
      };
    },
    failed,
    close: async () => {
      await outside(() => {
        isClosing = true;
        return send({ kind: "close" });
      }).catch((error: unknown) => {
        // A crashed engine counts as closed.
        if (gone === undefined) throw error;
      });
      await thread.terminate();
    },
  };
}

/** The types that the thread leaves as text. */
const MOMENTS: ReadonlySet<number> = new Set([TYPE.date, TYPE.timestamp, TYPE.timestamptz]);

/** Parses moments, except for types that stay text. */
function readMoments<Row extends object>(
  result: PgliteResult<Row>,
  { rowMode, unparsed = [] }: PgliteQueryOptions,
): PgliteResult<Row> {
  const columns = result.fields.flatMap(({ name, dataTypeID }, index) =>
    MOMENTS.has(dataTypeID) && !unparsed.includes(dataTypeID)
      ? [{ key: rowMode === "array" ? String(index) : name, read: readerOf(dataTypeID) }]
      : [],
  );
  if (columns.length === 0) return result;
  for (const row of result.rows as Record<string, unknown>[]) {
    for (const { key, read } of columns) {
      const value = row[key];
      if (typeof value === "string") row[key] = read(value);
    }
  }
  return result;
}

function toError({ message, fields }: PgliteFault): Error {
  return Object.assign(new Error(message), fields);
}
