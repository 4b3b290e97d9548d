import type { Database } from "@synap/database";
import { EventDispatcher } from "@synap/handlers/internal";
import { defaultApplication } from "@synap/synap/internal";
import { type SynapEvent, seedCatalogue } from "@synap/types";

/** Stores events, and brings the read models of the seeded domain up to the end of the log, as a worker does. */
export async function fillReadModels(database: Database, events: readonly SynapEvent[] = []): Promise<void> {
  const worker = new EventDispatcher({
    database,
    catalogue: seedCatalogue,
    handlers: defaultApplication.handlers,
    projections: defaultApplication.projections,
  });
  await worker.projections.prepare();
  for (const event of events) {
    const { status } = await worker.store.append(event);
    if (status !== "stored") throw new Error(`The event ${event.id} is ${status}.`);
  }
  for (const { name } of defaultApplication.projections) {
    for (;;) {
      const pass = await worker.catchUp(name);
      if (pass.status === "done" && pass.caughtUp) break;
    }
  }
}
