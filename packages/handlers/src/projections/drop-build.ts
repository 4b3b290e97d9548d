import type { Transaction } from "@synap/database";
import {
  type Build,
  buildName,
  lockCheckpoints,
  lockInlineBuilds,
  removeCheckpoints,
} from "./projection-builds.ts";
import { dropTables, tablesIn } from "./read-tables.ts";

const CLOSE_DEAD_LETTERS = `
UPDATE synap.dead_letters SET status = 'skipped', resolved_at = now(), resolution = 'its build was dropped'
 WHERE handler = $1 AND status = 'open'`;

/** Removes a build that no view shows: its tables, checkpoints and parked events. Its dead letters are closed and kept. */
export async function dropBuild(transaction: Transaction, build: Build): Promise<void> {
  if (build.mode === "inline") await lockInlineBuilds(transaction);
  else await lockCheckpoints(transaction, build);
  await transaction.query("DELETE FROM synap.projection_builds WHERE projection = $1 AND build = $2", [
    build.projection,
    build.build,
  ]);
  const name = buildName(build);
  await transaction.query("DELETE FROM synap.parked_events WHERE handler = $1", [name]);
  await transaction.query("DELETE FROM synap.held_streams WHERE handler = $1", [name]);
  await transaction.query(CLOSE_DEAD_LETTERS, [name]);
  await removeCheckpoints(transaction, build);
  await dropTables(transaction, tablesIn(build.tables), build.build);
}
