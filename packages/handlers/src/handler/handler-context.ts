import type { AppendOutcome, EventStore, Transaction } from "@synap/database";
import type { HandlerContext } from "./event-handler.ts";
import { InlineAppendError } from "./handler-errors.ts";

/** Thrown when the store refuses an event that a handler appended, because the event is invalid. */
export class RefusedReactionError extends Error {
  readonly code = "REACTION_REFUSED";
  override readonly name = "RefusedReactionError";
  constructor(handler: string, outcome: AppendOutcome & { status: "rejected" }) {
    const reasons = outcome.issues.map((issue) => `${issue.path} ${issue.reason}`).join("; ");
    super(`Handler "${handler}" appended event ${outcome.id}, which the store refuses: ${reasons}`);
  }
}

/** The context of an asynchronous handler. Appended events are committed with its checkpoint. */
export function asyncContext(
  handler: string,
  transaction: Transaction,
  store: Pick<EventStore, "appendBatch">,
): HandlerContext {
  const tryAppend: HandlerContext["tryAppend"] = (events) =>
    store.appendBatch(events, { timestamps: "backfill", transaction });
  return {
    transaction,
    tryAppend,
    append: async (events) =>
      (await tryAppend(events)).map((outcome) => {
        if (outcome.status === "rejected") throw new RefusedReactionError(handler, outcome);
        return outcome;
      }),
  };
}

/** The context of an inline handler, which can't append. */
export function inlineContext(handler: string, transaction: Transaction): HandlerContext {
  const refuse = () => Promise.reject(new InlineAppendError(handler));
  return { transaction, append: refuse, tryAppend: refuse };
}
