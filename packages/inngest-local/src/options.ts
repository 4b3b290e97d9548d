import type { RetryDelays } from "./dispatch/retry-delay.ts";
import type { QueueDatabase } from "./queue/database.ts";
import type { Retention } from "./queue/prune.ts";
import type { MachineClocks } from "./queue/queue-clock.ts";

/** Log of the broker. Compatible with pino and with `console`. */
export interface Logger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Keys shared by the broker and its apps; the Inngest server has options of the same names. */
export interface InngestKeys {
  /** Hex, with or without its prefix. Signs calls to apps; the apps' own calls must carry its hash. */
  readonly signingKey: string;
  /** Keys accepted from senders of events; at least one. */
  readonly eventKeys: readonly string[];
}

/** Options of `startInngestLocal`. */
export interface InngestLocalOptions {
  /** Holds the queue, in the schema `inngest_local`. */
  readonly database: QueueDatabase;
  /**
   * `"none"` is Inngest's development mode: every program on this machine may send events and register functions.
   * For tests and trials, on a loopback address only.
   */
  readonly keys: InngestKeys | "none";
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Accepted `Host` names in addition to the loopback ones. Requests to any other name are refused. */
  readonly hostNames?: readonly string[];
  /** Default 8288, the Inngest server's; 0 chooses a free one. */
  readonly port?: number;
  /** URLs of the apps, such as `http://127.0.0.1:3401/api/inngest`. Each is asked to register. */
  readonly appUrls: readonly string[];
  /** Retry delays in milliseconds. Default: the Inngest server's table, 15 s to 2 h plus up to 30 s. */
  readonly retryDelays?: RetryDelays;
  /**
   * Delay between the last attempt of a function triggered by `inngest/function.failed` and its restart, in milliseconds.
   * Default: 1 hour.
   */
  readonly failureHandlerDelay?: number;
  /** Maximum number of calls in flight, over all functions. Default 100. */
  readonly maxCallsInFlight?: number;
  /**
   * Maximum expected delay of a new event, in milliseconds, at the pace of the last calls. Beyond it, events are refused
   * with 503. Default: no limit, like the server. An unavailable function does not count as slow.
   */
  readonly maxDelay?: number;
  /** Timeout of one call, in milliseconds. Default 2 hours, the Inngest server's. */
  readonly callTimeout?: number;
  /** Interval between registration requests to an app that has not answered yet, in milliseconds. Default 1,000. */
  readonly registerInterval?: number;
  /** Interval between registration requests to a registered app, in milliseconds. Default 15,000. */
  readonly reregisterInterval?: number;
  /** Retention of finished runs and of event ids. */
  readonly retention?: Partial<Retention>;
  /** Maximum size of a request body, on any route, in bytes. Default 128 MiB. */
  readonly maxRequestBytes?: number;
  /** Maximum time that `stop()` waits for calls in flight, in milliseconds. Default 10,000. */
  readonly stopDeadline?: number;
  /** Default: this machine's. For tests. */
  readonly clocks?: MachineClocks;
  /** Default: warnings and errors to the console. */
  readonly logger?: Logger;
}

/** Logger that writes warnings and errors to the console and ignores the rest. */
export const consoleLogger: Logger = {
  info: () => undefined,
  warn: (details, message) => console.warn(`inngest-local: ${message}`, details),
  error: (details, message) => console.error(`inngest-local: ${message}`, details),
};
