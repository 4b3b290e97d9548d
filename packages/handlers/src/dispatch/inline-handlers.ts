import { type Transaction, TransactionEndedError } from "@synap/database";
import { isTimeLimit, streamKey } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import { anyHeld, heldStreams, parkEvents } from "../dead-letters/held-streams.ts";
import { handles, type IEventHandler } from "./event-handler.ts";
import { inlineContext } from "./handler-context.ts";
import { InlineHandlerError, isTransientFailure } from "./handler-errors.ts";
import { handleIsolated } from "./isolated-batch.ts";

/**
 * What happens to an append when an inline handler refuses one of its events.
 *
 * `dead-letter`: the event is stored, and becomes a dead letter of that handler; the rest go through. For
 * events that have already happened. `reject`: the append fails with {@link InlineHandlerError} and nothing
 * is stored. For commands, which ask whether they may.
 *
 * `last-resort`: as `dead-letter`, also where a time limit cuts the handler off. For events that have happened and could not
 * be stored for that reason, however often it was tried.
 */
export type InlineFailurePolicy = "dead-letter" | "reject" | "last-resort";

/**
 * Runs the inline handlers over freshly stored events, in the transaction of their append. Each handler
 * works in a savepoint: one that fails takes nothing of the others' work with it. Events of a stream that waits
 * behind a dead letter of the handler are parked, under either policy. The append holds the locks of its streams,
 * so what it reads here about them stays true until it ends.
 *
 * @throws InlineHandlerError under the policy `reject`
 * @throws the handler's own error when it is transient, so that the whole append is tried again
 */
export async function runInlineHandlers(
  handlers: readonly IEventHandler[],
  transaction: Transaction,
  stored: readonly StoredEvent[],
  policy: InlineFailurePolicy,
): Promise<void> {
  const wanted = handlers.filter((handler) => stored.some((event) => handles(handler, event.type)));
  if (wanted.length === 0) return;
  const { held } = await anyHeld(
    transaction,
    wanted.map((handler) => handler.name),
  );
  for (const handler of wanted) {
    let events = stored.filter((event) => handles(handler, event.type));
    if (held) events = await parkHeld(transaction, handler.name, events);
    if (events.length > 0) await runInline(handler, transaction, events, policy);
  }
}

async function runInline(
  handler: IEventHandler,
  transaction: Transaction,
  events: readonly StoredEvent[],
  policy: InlineFailurePolicy,
): Promise<void> {
  const context = (savepoint: Transaction) => inlineContext(handler.name, savepoint);
  try {
    await transaction.savepoint((savepoint) => handler.handle(events, context(savepoint)));
  } catch (error) {
    if (error instanceof TransactionEndedError)
      throw new TransactionEndedError(handler.name, { cause: error });
    const blamesEvents = policy === "last-resort" && isTimeLimit(error);
    if (isTransientFailure(error) && !blamesEvents) throw error;
    if (policy === "reject") throw new InlineHandlerError(handler.name, error);
    await handleIsolated({ handler, events, transaction, context, hasFailed: true, blamesEvents });
  }
}

/** Parks the events whose streams wait for the handler, and answers the others. */
export async function parkHeld(
  transaction: Transaction,
  handler: string,
  events: readonly StoredEvent[],
): Promise<StoredEvent[]> {
  const waiting = await heldStreams(transaction, handler, events);
  if (waiting.size === 0) return [...events];
  await parkEvents(
    transaction,
    handler,
    events.filter((event) => waiting.has(streamKey(event))),
  );
  return events.filter((event) => !waiting.has(streamKey(event)));
}
