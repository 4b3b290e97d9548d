import type { Transaction } from "@synap/database";
import type { StreamName } from "@synap/types";
import type { HandlerContext, IEventHandler } from "../handler/event-handler.ts";
import { handleIsolated, type IsolationResult, type RetryPolicy } from "./handle-isolated.ts";
import { takeParkedEvents } from "./held-streams.ts";

/** A handler as retries use it, outside its regular passes. */
export interface DeadLetterTarget {
  readonly handler: IEventHandler;
  readonly context: (transaction: Transaction) => HandlerContext;
  /** Locks the stream for this handler until the transaction ends. */
  readonly lock: (transaction: Transaction, stream: StreamName) => Promise<void>;
  /** Retry policy for parked events that fail. Default: they become dead letters at once. */
  readonly retries?: RetryPolicy | undefined;
  /** Number of consecutive passes that ran into a time limit; see `IsolatedBatch`. */
  readonly timedOutPasses?: number | undefined;
}

/** Maximum number of parked events handled in one transaction. */
const CHUNK = 200;

/**
 * Handles the next parked events of a released stream, in a transaction that holds the target's lock. When one
 * fails, it becomes the stream's dead letter or waits for another attempt, and the others are parked behind it again.
 */
export async function releaseChunk(
  target: DeadLetterTarget,
  transaction: Transaction,
  stream: StreamName,
): Promise<Omit<IsolationResult, "parked"> & { readonly handled: number; readonly last: boolean }> {
  const { events, last, earlier } = await takeParkedEvents(transaction, target.handler.name, stream, CHUNK);
  const result = await handleIsolated({ ...target, events, transaction, earlier });
  const { deadLettered, retrying, parked } = result;
  const handled = events.length - parked - deadLettered;
  return { handled, deadLettered, retrying, last: last || handled < events.length };
}
