import type { Transaction } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import { type HandlerContext, handles, type IEventHandler } from "./event-handler.ts";
import { InlineAppendError, InlineHandlerError, isTransientFailure } from "./handler-errors.ts";
import { handleIsolated } from "./isolated-batch.ts";

/**
 * What happens to an append when an inline handler refuses one of its events.
 *
 * `dead-letter`: the event is stored, and becomes a dead letter of that handler; the rest go through. For
 * events that have already happened. `reject`: the append fails with {@link InlineHandlerError} and nothing
 * is stored. For commands, which ask whether they may.
 */
export type InlineFailurePolicy = "dead-letter" | "reject";

/**
 * Runs the inline handlers over freshly stored events, in the transaction of their append. Each handler
 * works in a savepoint: one that fails takes nothing of the others' work with it.
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
  for (const handler of handlers) {
    const events = stored.filter((event) => handles(handler, event.type));
    if (events.length === 0) continue;
    const context = (savepoint: Transaction) => inlineContext(handler.name, savepoint);
    try {
      await transaction.savepoint((savepoint) => handler.handle(events, context(savepoint)));
    } catch (error) {
      if (isTransientFailure(error)) throw error;
      if (policy === "reject") throw new InlineHandlerError(handler.name, error);
      await handleIsolated({ handler, events, transaction, context, attempts: 0 });
    }
  }
}

function inlineContext(handler: string, transaction: Transaction): HandlerContext {
  return {
    transaction,
    append: () => Promise.reject(new InlineAppendError(handler)),
  };
}
