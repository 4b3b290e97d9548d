import { CommandRefusedError, defineDecider } from "@synap/synap";
import { z } from "zod";
import { orderEvents, orderPlaced } from "./event-types.ts";

const due = { customer: z.string(), email: z.email(), cents: z.int() };

/** The rules that can forbid a command. Callers get the name of the rule. */
export type OrderRule =
  | "already-placed"
  | "not-placed"
  | "already-paid"
  | "already-cancelled"
  | "wrong-amount";

export const order = defineDecider({
  name: "order",
  description: "An order is placed once, then paid in full or cancelled.",
  events: orderEvents,
  commands: {
    place: orderPlaced.schema,
    pay: z.strictObject({ cents: z.int() }),
    cancel: z.strictObject({ reason: z.string().min(1) }),
  },
  state: z.discriminatedUnion("status", [
    z.strictObject({ status: z.literal("new") }),
    z.strictObject({ status: z.literal("placed"), ...due }),
    z.strictObject({ status: z.literal("paid"), ...due }),
    z.strictObject({ status: z.literal("cancelled") }),
  ]),
  initialState: { status: "new" },

  evolve(_state, event) {
    switch (event.type) {
      case "order.placed": {
        const { customer, email, lines } = event.data;
        return { status: "placed", customer, email, cents: totalOf(lines) };
      }
      case "order.paid":
        return { status: "paid", ...event.data };
      case "order.cancelled":
        return { status: "cancelled" };
    }
  },

  decide(command, state) {
    switch (command.type) {
      case "place":
        if (state.status !== "new") refuse("already-placed", "There is an order of this id already.");
        return [{ type: "order.placed", data: command.data }];
      case "pay": {
        if (state.status === "paid") refuse("already-paid", "The order is paid.");
        if (state.status === "cancelled") refuse("already-cancelled", "A cancelled order can't be paid.");
        if (state.status === "new") return refuse("not-placed", "There is no such order.");
        const { customer, email, cents } = state;
        if (command.data.cents !== cents) refuse("wrong-amount", `The order costs ${cents} cents.`);
        return [{ type: "order.paid", data: { customer, email, cents } }];
      }
      case "cancel":
        if (state.status === "new") refuse("not-placed", "There is no such order.");
        if (state.status === "paid") refuse("already-paid", "A paid order can't be cancelled.");
        // Cancelling it again changes nothing.
        return state.status === "cancelled" ? [] : [{ type: "order.cancelled", data: command.data }];
    }
  },
});

/** Computes the total of an order, in cents. */
export function totalOf(lines: readonly { readonly quantity: number; readonly cents: number }[]): number {
  return lines.reduce((total, line) => total + line.quantity * line.cents, 0);
}

function refuse(rule: OrderRule, reason: string): never {
  throw new CommandRefusedError(rule, reason);
}
