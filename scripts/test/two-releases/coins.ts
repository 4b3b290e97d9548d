import { defineProjection, keyText, readTable } from "@synap/synap";
import type { EventTypeDefinition } from "@synap/types";
import { text } from "drizzle-orm/pg-core";
import { z } from "zod";

/** The data of the first version. */
export const coinsSchema = z.strictObject({ euros: z.number() });

const boxes = readTable("boxes", { id: keyText("id").primaryKey(), coins: text("coins").notNull() });

/** The coins of each box in cents, in the order in which they came: a missed, repeated or early one is seen. */
export function coinsProjection<Type extends EventTypeDefinition<"coin.dropped">>(
  type: Type,
  centsOf: (data: Type["example"]) => number,
) {
  return defineProjection({
    name: "boxes",
    version: 1,
    description: "Lists the coins of each box.",
    events: [type],
    mode: "async",
    table: boxes,
    evolve: (row, event) => {
      const cents = centsOf(event.data);
      return { id: event.aggregateId, coins: row === undefined ? `${cents}` : `${row.coins} ${cents}` };
    },
  });
}
