import { AsyncResource } from "node:async_hooks";
import type { SqlSession } from "@synap/database";
import { addUnhandledFailures, notify, type UnhandledFailure } from "@synap/database/internal";
import { runningHandler } from "./handler-call.ts";
import { describeFailure } from "./handler-errors.ts";
import { asError } from "./thrown-error.ts";

/** The logger for unhandled failures, such as a pino logger. */
export interface FailureLogger {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
}

export interface UnhandledFailureOptions {
  readonly logger: FailureLogger;
  /** Ends the process after an exception that is not a handler's. Default: exits with code 1. */
  readonly end?: () => void;
}

/** The unhandled failures of this process. */
export interface UnhandledFailures {
  /** Starts recording in this database, including the failures so far. */
  recordIn(session: SqlSession): void;
  /** Records the pending failures, unless the database is unavailable, and stops recording. */
  endRecording(): Promise<void>;
  /** Removes the process listeners. */
  stop(): void;
}

/** Minimum time between two writes, in milliseconds, because a handler may fail thousands of times a second. */
const WRITE_INTERVAL_MS = 1_000;

interface Pending {
  readonly last: UnhandledFailure;
  readonly failures: number;
}

/**
 * Keeps the process alive when a handler's code fails where nothing can catch the error: in a promise that is not awaited,
 * or in a timer or listener. The failure is logged with the handler and the event, and counted for the status. For entry
 * points of processes, because it listens to events of the process.
 *
 * A rejection that belongs to no handler is survived as well. It has ended one asynchronous call and interrupted nothing
 * else, and Node 24 can't attribute a promise to a handler if a connection created elsewhere rejects it. An exception
 * that belongs to no handler ends the process with code 1, so that it is restarted: it may have interrupted Synap's code
 * or a driver's at any point, after which an event could be stored wrongly. So does an exception in a listener that a
 * handler added to another component's emitter, because it interrupts the emitting code. No accepted event depends on
 * an orderly shutdown.
 */
export function surviveUnhandledFailures({ logger, end = exit }: UnhandledFailureOptions): UnhandledFailures {
  const pending = new Map<string, Pending>();
  // A failure arrives in the asynchronous context of its handler. Failures while recording it must not be attributed to that.
  const scope = new AsyncResource("SynapUnhandledFailures");
  let session: SqlSession | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let isWriteFailing = false;

  const onRejection = (thrown: unknown) => note("rejection", thrown);
  const onException = (thrown: unknown, origin: NodeJS.UncaughtExceptionOrigin) => {
    // With node --unhandled-rejections=strict, rejections come here as well.
    if (origin === "unhandledRejection") return note("rejection", thrown);
    if (runningHandler() !== undefined) return note("exception", thrown);
    const error = asError(thrown);
    const message = `an exception that nothing caught ends the process: ${error.message}`;
    notify(() => logger.fatal({ err: error }, message));
    end();
  };

  function note(kind: UnhandledFailure["kind"], thrown: unknown): void {
    const about = runningHandler();
    const failure = { kind, events: 0, ...about, ...describeFailure(thrown) };
    const known = pending.get(failure.handler ?? "");
    pending.set(failure.handler ?? "", { last: failure, failures: (known?.failures ?? 0) + 1 });
    if (known === undefined) log(failure, thrown);
    if (writing === undefined && timer === undefined) scope.runInAsyncScope(write);
  }

  function log({ reason, ...failure }: UnhandledFailure, thrown: unknown): void {
    const what = failure.kind === "rejection" ? "a promise that nothing awaits" : "a timer or listener";
    const whose = failure.handler === undefined ? "unknown code" : failure.handler;
    const fields = { ...failure, err: asError(thrown) };
    notify(() => logger.error(fields, `${what} of ${whose} failed: ${reason}`));
  }

  function write(): void {
    if (session === undefined) return;
    writing = writeTo(session).then(() => {
      writing = undefined;
      timer = setTimeout(() => {
        timer = undefined;
        if (pending.size > 0) write();
      }, WRITE_INTERVAL_MS);
      timer.unref();
    });
  }

  async function writeTo(database: SqlSession): Promise<void> {
    for (const [name, counted] of [...pending]) {
      pending.delete(name);
      try {
        await addUnhandledFailures(database, counted.last, counted.failures);
        isWriteFailing = false;
      } catch (error) {
        const since = pending.get(name);
        pending.set(name, {
          last: since?.last ?? counted.last,
          failures: counted.failures + (since?.failures ?? 0),
        });
        if (!isWriteFailing) {
          notify(() => logger.warn({ err: error }, "unhandled failures can't be counted for the status yet"));
        }
        isWriteFailing = true;
      }
    }
  }

  const { queueMicrotask } = globalThis;
  // Node 20 and 22 report the exception of a microtask outside of the handler's asynchronous context.
  const queueGuarded = (callback: () => void) => {
    if (typeof callback !== "function" || runningHandler() === undefined) return queueMicrotask(callback);
    queueMicrotask(() => {
      try {
        callback();
      } catch (thrown) {
        note("exception", thrown);
      }
    });
  };
  globalThis.queueMicrotask = queueGuarded;
  process.on("unhandledRejection", onRejection).on("uncaughtException", onException);
  return {
    recordIn: (database) => {
      session = database;
      if (pending.size > 0 && writing === undefined) write();
    },
    endRecording: async () => {
      await writing;
      clearTimeout(timer);
      if (session !== undefined) await writeTo(session);
      session = undefined;
    },
    stop: () => {
      // Other code may have wrapped it since.
      if (globalThis.queueMicrotask === queueGuarded) globalThis.queueMicrotask = queueMicrotask;
      process.off("unhandledRejection", onRejection).off("uncaughtException", onException);
      clearTimeout(timer);
    },
  };
}

function exit(): void {
  process.exit(1);
}
