import { setAside, type Transaction } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import { holdStream, parkEvents, streamKey } from "../dead-letters/held-streams.ts";
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
 * Handles the events one by one, in order, each in a savepoint of its own. One that fails becomes a dead letter in the
 * same transaction, and the later ones of its stream are parked behind it; the others go through.
 *
 * @returns how many became dead letters, and how many were parked
 * @throws the first transient failure, as it is: then nothing is decided, and the caller starts again later.
 */
export async function handleIsolated(
  batch: IsolatedBatch,
): Promise<{ deadLettered: number; parked: number }> {
  const { handler, transaction } = batch;
  const held = new Set<string>();
  const parked: StoredEvent[] = [];
  let deadLettered = 0;
  for (const event of batch.events) {
    if (held.has(streamKey(event))) {
      parked.push(event);
      continue;
    }
    const failure = await handleAlone(batch, event);
    if (failure === undefined) continue;
    deadLettered += 1;
    const letter = await setAside(transaction, {
      handler: handler.name,
      event,
      position: event.position,
      stream: event,
      ...failure,
      attempts: batch.attempts + 1,
    });
    // What somebody has skipped before holds nothing back when it comes again.
    if (letter.status !== "open") continue;
    await holdStream(transaction, handler.name, event, letter.id);
    held.add(streamKey(event));
  }
  await parkEvents(transaction, handler.name, parked);
  return { deadLettered, parked: parked.length };
}

/**
 * Handles one event in a savepoint.
 *
 * @returns why the event can't be handled; undefined when it was
 * @throws a transient failure, as it is
 */
export async function handleAlone(
  { handler, transaction, context }: Pick<IsolatedBatch, "handler" | "transaction" | "context">,
  event: StoredEvent,
): Promise<{ code: string; reason: string } | undefined> {
  try {
    await transaction.savepoint(async (savepoint) => {
      await handler.handle([event], context(savepoint));
      // A constraint that the handler's tables check only at commit would otherwise fail the transaction of all.
      await savepoint.query("SET CONSTRAINTS ALL IMMEDIATE");
    });
    return undefined;
  } catch (error) {
    if (isTransientFailure(error)) throw error;
    return describeFailure(error);
  }
}
