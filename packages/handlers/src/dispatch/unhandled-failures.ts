import { AsyncResource } from "node:async_hooks";
import type { SqlSession } from "@synap/database";
import { addUnhandledFailures, notify, type UnhandledFailure } from "@synap/database/internal";
import { runningHandler } from "./handler-call.ts";
import { describeFailure } from "./handler-errors.ts";
import { asError } from "./thrown-error.ts";

/** Where unhandled failures are logged. A pino logger is one. */
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
  /** Counts them in this database from now on, those of before included. */
  recordIn(session: SqlSession): void;
  /** Records what is left, or gives it up when the database is away, and uses the database no more. */
  endRecording(): Promise<void>;
  /** Listens no more. */
  stop(): void;
}

/** After a write, the next failures are gathered for so long, in milliseconds: a handler may fail thousands of times a second. */
const PAUSE_MS = 1_000;

interface Pending {
  readonly last: UnhandledFailure;
  readonly failures: number;
}

/**
 * Keeps this process alive when code of a handler fails where nothing can catch it: a promise that nothing awaits, or an
 * exception in a timer or a listener. The failure is logged with the handler and the event, and counted for the status.
 * For the entry points of processes: it listens on the process itself.
 *
 * A rejection without a handler is survived as well, because it has ended one asynchronous call and interrupted nothing
 * else; Node 24 can't attribute a promise that a connection rejects which was made outside of the handler. An exception
 * without a handler ends the process with code 1, to be started again: it may have left code of ours, or of a driver, in
 * the middle of its work, and an event could be stored wrongly from there. So does one in a listener that a handler put on
 * an emitter of others: it interrupts whoever emitted. Nothing that was accepted depends on an
 * orderly end.
 */
export function surviveUnhandledFailures({ logger, end = exit }: UnhandledFailureOptions): UnhandledFailures {
  const pending = new Map<string, Pending>();
  // Failures arrive in the asynchronous context of their handler; recording them is not the handler's.
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
      }, PAUSE_MS);
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
  // Node 20 and 22 have left the handler's asynchronous context when they report what a microtask throws.
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
      // Somebody may have wrapped it since.
      if (globalThis.queueMicrotask === queueGuarded) globalThis.queueMicrotask = queueMicrotask;
      process.off("unhandledRejection", onRejection).off("uncaughtException", onException);
      clearTimeout(timer);
    },
  };
}

function exit(): void {
  process.exit(1);
}
