import type { QueueDatabase } from "./queue/database.ts";
import type { Retention } from "./queue/prune.ts";
import type { MachineClocks } from "./queue/queue-clock.ts";
import type { RetryDelays } from "./retries/retry-delay.ts";

/** The log of the stand-in. Compatible with pino and with `console`. */
export interface Logger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** The keys that the stand-in and its apps share, as the Inngest server's options of the same names. */
export interface InngestKeys {
  /** Hex, with or without its prefix. Calls to apps are signed with it, and the apps' own calls must carry its hash. */
  readonly signingKey: string;
  /** The keys with which events may be sent; at least one. */
  readonly eventKeys: readonly string[];
}

/** Options of a stand-in. */
export interface InngestLocalOptions {
  /** Holds the queue, in the schema `inngest_local`. */
  readonly database: QueueDatabase;
  /**
   * `"none"` is the development mode of Inngest: whatever runs on this machine may send events and register functions.
   * For tests and trials, on a loopback address only.
   */
  readonly keys: InngestKeys | "none";
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Names besides the loopback ones under which apps and senders call it. Requests to any other name are refused. */
  readonly hostNames?: readonly string[];
  /** Default 8288, the Inngest server's; 0 takes a free one. */
  readonly port?: number;
  /** URLs of the apps, such as `http://127.0.0.1:3401/api/inngest`. Each is asked to register. */
  readonly appUrls: readonly string[];
  /** The waits between attempts in milliseconds. Default: the Inngest server's table, 15 s to 2 h plus up to 30 s. */
  readonly retryDelays?: RetryDelays;
  /**
   * Delay between the last attempt of a function that listens to `inngest/function.failed` and its restart, in milliseconds.
   * Default: 1 hour.
   */
  readonly failureHandlerDelay?: number;
  /** The most calls in flight at once, all functions together. Default 100. */
  readonly maxCallsInFlight?: number;
  /**
   * Events are refused (503) while what waits for its first call would take longer than this, in milliseconds, at the
   * pace of the last calls. Default: never, like the server. A function that is away does not count as slow.
   */
  readonly maxDelay?: number;
  /** The longest that one call may take, in milliseconds. Default 2 hours, the Inngest server's. */
  readonly callTimeout?: number;
  /** Interval at which an app that has not answered yet is asked to register, in milliseconds. Default 1,000. */
  readonly registerInterval?: number;
  /** Interval at which an app that has registered is asked again, in milliseconds. Default 15,000. */
  readonly reregisterInterval?: number;
  /** Retention of what is finished. */
  readonly retention?: Partial<Retention>;
  /** The largest body of a request, on any route, in bytes. Default 128 MiB. */
  readonly maxRequestBytes?: number;
  /** Longest time that `stop()` waits for calls in flight, in milliseconds. Default 10,000. */
  readonly stopDeadline?: number;
  /** Default: this machine's. For tests. */
  readonly clocks?: MachineClocks;
  /** Default: warnings and errors to the console. */
  readonly logger?: Logger;
}

/** Warnings and errors to the console, nothing else. */
export const consoleLogger: Logger = {
  info: () => undefined,
  warn: (details, message) => console.warn(`inngest-local: ${message}`, details),
  error: (details, message) => console.error(`inngest-local: ${message}`, details),
};
