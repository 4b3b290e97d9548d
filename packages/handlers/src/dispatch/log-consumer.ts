import type { Transaction } from "@synap/database";
import type { StreamName } from "@synap/types";
import type { IEventHandler } from "../handler/event-handler.ts";
import type { LogRange } from "../projections/log-statement.ts";

/** A consumer of the log: a handler with a checkpoint. */
export interface LogConsumer {
  /** The handler. Dead letters are stored under its name. */
  readonly handler: IEventHandler;
  /** Name of the checkpoint. */
  readonly checkpoint: string;
  /** Returns true for the streams of this consumer's segment. Default: all streams. */
  readonly accepts?: ((stream: StreamName) => boolean) | undefined;
  /** The build of a projection that the handler writes. */
  readonly build?:
    | { readonly projection: string; readonly build: number; readonly segments: number }
    | undefined;
  /**
   * Handles a range of the log inside the database, and returns the number of events. Not used when events must be handled
   * individually, because streams are held or a batch has failed.
   */
  readonly applyInDatabase?: ((transaction: Transaction, range: LogRange) => Promise<number>) | undefined;
}
