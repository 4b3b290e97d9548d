import { createSynapClient } from "@synap/client";
import { deciderScenario } from "@synap/synap/testing";
import { order } from "./src/order.ts";
import type config from "./synap.config.ts";

/** Nothing here runs: the installed declarations must refuse each line below a comment. */
export async function refused(): Promise<void> {
  const synap = createSynapClient<typeof config>({ url: "http://127.0.0.1:3400" });
  // @ts-expect-error an event type that nobody defines
  await synap.publish({ type: "review.writen", data: { order: "o-1", stars: 5 } });
  // @ts-expect-error a misspelt field
  await synap.publish({ type: "review.written", data: { order: "o-1", starz: 5 } });
  for await (const event of synap.readStream({ aggregateType: "invoice", aggregateId: "o-1" })) {
    // @ts-expect-error a field of another event type
    if (event.type === "invoice.booked") console.log(event.data.cents);
  }
  // @ts-expect-error a command that the decider doesn't have
  deciderScenario(order).when({ type: "delete", data: {} });
}
