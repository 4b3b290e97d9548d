/** Given/when/then for an application and its parts. */

import { type HandlerScenario, handlerScenario } from "@synap/handlers/testing";
import type { EventTypeMap } from "@synap/types";
import type { ApplicationParts, SynapApplication } from "./config.ts";
import { createSynap, type Synap } from "./create-synap.ts";

export { deciderScenario } from "@synap/handlers/testing";

/** A given/when/then test of an application. */
export interface ApplicationScenario<
  Types extends EventTypeMap,
  Parts extends ApplicationParts = ApplicationParts,
> extends Pick<HandlerScenario<Types>, "given" | "when" | "rows"> {
  /** The application's engine, for commands, read models and streams. */
  readonly synap: Synap<Types, Parts>;
  /** Runs handlers and projections until all have caught up. `given` and `when` do so themselves. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Runs an application on a migrated database in memory, for tests. Handlers run in `given`, `when` and `settle` only.
 *
 * @example
 * const { when, synap, close } = await applicationScenario(config);
 * await when({ type: "order.placed", aggregateId: "o1", data: { customer: "ada", total: 12.5 } });
 * expect(await synap.readModel(customerOrders, { customer: "ada" })).toEqual({ orders: [{ id: "o1", total: 12.5 }] });
 * await close();
 */
export async function applicationScenario<
  Types extends EventTypeMap,
  Parts extends ApplicationParts = ApplicationParts,
>(application: SynapApplication<Types, Parts>): Promise<ApplicationScenario<Types, Parts>> {
  const synap = await createSynap(application, { memory: true, runHandlers: false });
  const { database } = synap;
  const { catalogue, handlers, projections } = application;
  const { given, when, rows } = handlerScenario({ database, catalogue, handlers, projections });
  const settle = async () => void (await when());
  // Projections become inline with their first pass.
  await settle();
  return { synap, given, when, rows, settle, close: () => synap.close() };
}
