/** For tests of what serves an engine. */

import type { Database } from "@synap/database";
import type { Composition } from "@synap/handlers";
import { composeEngine, type Engine, type EngineOptions } from "../src/engine.ts";
import { defaultApplication } from "../src/index.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** The engine of the seeded domain on a migrated database, with other parts where given. It logs nothing. */
export function engineOn(
  database: Database,
  parts: Partial<Composition> = {},
  options: Partial<EngineOptions> = {},
): Engine {
  return composeEngine({ ...defaultApplication, ...parts }, database, { logger: silent, ...options });
}
