/** For tests of what serves an engine. */

import { type Database, migrate } from "@synap/database";
import type { Composition } from "@synap/handlers";
import { composeEngine, type Engine, type EngineOptions } from "../src/engine.ts";
import { defaultApplication } from "../src/internal.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** The engine of the seeded domain, with other parts where given, on a database that it migrates. It logs nothing. */
export async function engineOn(
  database: Database,
  parts: Partial<Composition> = {},
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  const application = { ...defaultApplication, ...parts };
  await migrate(database, { applications: application.migrations });
  return composeEngine(application, database, { logger: silent, ...options });
}
