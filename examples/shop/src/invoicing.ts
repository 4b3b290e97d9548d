import { createReaction, defineHandler } from "@synap/synap";
import { invoiceIssued, orderPaid } from "./event-types.ts";

/** A reactor: answers one event with another. The id of the reaction derives from its cause, so it is stored once. */
export const invoicing = defineHandler({
  name: "invoicing",
  description: "Issues an invoice for every paid order.",
  events: [orderPaid],
  mode: "async",
  async handle(events, { append }) {
    await append(
      events.map((paid) =>
        createReaction(invoiceIssued, {
          handler: "invoicing",
          cause: paid,
          aggregateId: paid.aggregateId,
          data: { order: paid.aggregateId, ...paid.data },
        }),
      ),
    );
  },
});
