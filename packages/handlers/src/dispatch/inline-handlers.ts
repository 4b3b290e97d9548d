import { type Transaction, TransactionEndedError } from "@synap/database";
import { isTimeLimit, withOwnSettings } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { handles, type IEventHandler } from "../handler/event-handler.ts";
import { inlineContext } from "../handler/handler-context.ts";
import { InlineHandlerError, isTransientFailure } from "../handler/handler-errors.ts";
import { handleIsolated } from "./handle-isolated.ts";
import { anyHeld, heldStreams, parkEvents } from "./held-streams.ts";

/**
 * The outcome of an append when an inline handler fails on one of its events.
 *
 * - `dead-letter`: the event is stored and becomes a dead letter of that handler; the other events are handled. For events
 *   that have already happened.
 * - `reject`: the append fails with {@link InlineHandlerError} and stores nothing. For commands.
 * - `last-resort`: as `dead-letter`, and a handler that runs into a time limit counts as failed. For accepted events
 *   that every retry failed to store for that reason.
 */
export type InlineFailurePolicy = "dead-letter" | "reject" | "last-resort";

/**
 * Runs the inline handlers for events that were just stored, in the transaction of their append. Each handler has a
 * savepoint, so a failing one doesn't undo the work of the others. Events of a stream that is held for the handler are
 * parked under every policy. Held streams can't change meanwhile, because the append holds the locks of its streams.
 *
 * @throws InlineHandlerError under the policy `reject`
 * @throws the handler's own error if it is transient, so that the whole append is retried
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
    await transaction.savepoint((savepoint) =>
      withOwnSettings(savepoint, () => handler.handle(events, context(savepoint))),
    );
  } catch (error) {
    if (error instanceof TransactionEndedError)
      throw new TransactionEndedError(handler.name, { cause: error });
    const deadLetterTimeouts = policy === "last-resort" && isTimeLimit(error);
    if (isTransientFailure(error) && !deadLetterTimeouts) throw error;
    if (policy === "reject") throw new InlineHandlerError(handler.name, error);
    await handleIsolated({ handler, events, transaction, context, hasFailed: true, deadLetterTimeouts });
  }
}

/** Parks the events whose streams are held for the handler, and returns the others. */
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
