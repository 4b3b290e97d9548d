import { recordDeadLetter, type Transaction } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import type { HandlerContext, IEventHandler } from "./event-handler.ts";
import { describeFailure, isTransientFailure } from "./handler-errors.ts";

/** A batch that failed as a whole, about to be handled one event at a time. */
export interface IsolatedBatch {
  readonly handler: IEventHandler;
  readonly events: readonly StoredEvent[];
  readonly transaction: Transaction;
  /** Makes the context for the savepoint in which one event is handled. */
  readonly context: (savepoint: Transaction) => HandlerContext;
  /** How often the batch was tried before, for the dead letters. */
  readonly attempts: number;
}

/**
 * Handles the events one by one, in order, each in a savepoint of its own. The ones that fail become dead
 * letters in the same transaction; the others go through.
 *
 * @returns how many became dead letters
 * @throws the first transient failure, as it is: then nothing is decided, and the caller starts again later.
 */
export async function handleIsolated(batch: IsolatedBatch): Promise<number> {
  const { handler, events, transaction } = batch;
  let deadLetters = 0;
  for (const event of events) {
    try {
      await transaction.savepoint(async (savepoint) => {
        await handler.handle([event], batch.context(savepoint));
        // A constraint that the handler's tables check only at commit would otherwise fail the transaction of all.
        await savepoint.query("SET CONSTRAINTS ALL IMMEDIATE");
      });
    } catch (error) {
      if (isTransientFailure(error)) throw error;
      deadLetters += 1;
      await recordDeadLetter(transaction, {
        handler: handler.name,
        event,
        position: event.position,
        ...describeFailure(error),
        attempts: batch.attempts + 1,
      });
    }
  }
  return deadLetters;
}
