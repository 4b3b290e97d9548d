import type { Database } from "@synap/database";
import { EventDispatcher } from "@synap/handlers/internal";
import { defaultApplication } from "@synap/synap/internal";
import { seedCatalogue } from "@synap/types";

/**
 * Builds every read model anew from the log, beside the one that was kept while things broke, and counts the rows in
 * which the two differ. No worker may run meanwhile.
 */
export async function compareReadModels(database: Database): Promise<number> {
  const dispatcher = new EventDispatcher({
    database,
    catalogue: seedCatalogue,
    handlers: defaultApplication.handlers,
    projections: defaultApplication.projections,
  });
  const { projections } = dispatcher;
  let differences = 0;
  for (const { name } of defaultApplication.projections) {
    await projections.rebuild(name, { by: "stress --chaos" });
    for (let isCaughtUp = false; !isCaughtUp; ) {
      const pass = await dispatcher.catchUp(name);
      isCaughtUp = pass.status === "done" && pass.caughtUp;
    }
    for (const table of await projections.compare(name)) {
      differences += table.onlyInOld + table.onlyInNew + table.different;
    }
    await projections.drop(name, "building");
  }
  return differences;
}
