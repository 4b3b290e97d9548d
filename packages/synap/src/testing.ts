/** Given/when/then for an application and its parts. */

import { type HandlerScenario, handlerScenario } from "@synap/handlers/testing";
import type { EventTypeMap } from "@synap/types";
import type { SynapApplication } from "./config.ts";
import { createSynap, type Synap } from "./create-synap.ts";

export { deciderScenario } from "@synap/handlers/testing";

/** Given these events, when those happen, then this is what the application answers. */
export interface ApplicationScenario<Types extends EventTypeMap>
  extends Pick<HandlerScenario<Types>, "given" | "when" | "rows"> {
  /** The engine of the application, for its commands, its read models and its streams. */
  readonly synap: Synap<Types>;
  /** Runs every handler and projection until none has anything left to do. `given` and `when` do so by themselves. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Runs an application on a database in memory, with its migrations, for tests. Handlers run when the test asks for it, not on
 * their own.
 *
 * @example
 * const { when, synap, close } = await applicationScenario(config);
 * await when({ type: "order.placed", aggregateId: "o1", data: { customer: "ada", total: 12.5 } });
 * expect(await synap.readModel(customerOrders, { customer: "ada" })).toEqual({ orders: [{ id: "o1", total: 12.5 }] });
 * await close();
 */
export async function applicationScenario<Types extends EventTypeMap>(
  application: SynapApplication<Types>,
): Promise<ApplicationScenario<Types>> {
  const synap = await createSynap(application, { memory: true, runHandlers: false });
  const { database } = synap;
  const { catalogue, handlers, projections } = application;
  const { given, when, rows } = handlerScenario({ database, catalogue, handlers, projections });
  const settle = async () => void (await when());
  // Inline projections move into the appends with their first pass.
  await settle();
  return { synap, given, when, rows, settle, close: () => synap.close() };
}
