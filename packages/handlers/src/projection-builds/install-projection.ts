import type { Transaction } from "@synap/database";
import { counted } from "@synap/types/internal";
import { showOwnRows } from "../projections/own-row-views.ts";
import { segmentsOf } from "../projections/projection.ts";
import { ProjectionChangedError, ProjectionConflictError } from "../projections/projection-errors.ts";
import type { RegisteredProjection } from "../projections/projection-registry.ts";
import { createTables, showBuild, tableScript } from "../projections/read-tables.ts";
import {
  type Build,
  type BuildRole,
  createCheckpoints,
  lockProjection,
  readBuild,
} from "./projection-builds.ts";

/**
 * Creates a projection's first build if it has none: empty, live from the commit on, and filled from the first event. For a live build of
 * this version, brings the views of users' own rows up to date: their owner is no part of the build.
 */
export async function installProjection(
  transaction: Transaction,
  projection: RegisteredProjection,
): Promise<void> {
  const builds = await lockProjection(transaction, projection.name);
  const live = builds.find((each) => each.role === "live");
  if (live !== undefined) {
    if (live.version === projection.version) await showOwnRows(transaction, projection.tables);
    return;
  }
  const build = await createBuild(transaction, projection, "live", "system");
  await showBuild(transaction, projection.tables, build.build, []);
}

/** @throws ProjectionChangedError when the version's tables or segments differ from those of the build. */
export function checkUnchanged(projection: RegisteredProjection, build: Build): void {
  if (build.version !== projection.version) return;
  const { name, version } = projection;
  if (build.tables !== tableScript(projection.tables, 0)) {
    throw new ProjectionChangedError(name, version, "was built with other tables");
  }
  if (build.segments !== segmentsOf(projection)) {
    const what = `runs in ${counted(build.segments, "segment")}, not in ${segmentsOf(projection)}`;
    throw new ProjectionChangedError(name, version, what);
  }
}

/** Creates a build with its tables and checkpoints, at the start of the log. */
export async function createBuild(
  transaction: Transaction,
  projection: RegisteredProjection,
  role: BuildRole,
  by: string,
): Promise<Build> {
  const [made] = await transaction.query<{ build: number }>(
    `INSERT INTO synap.projection_builds
            (projection, build, version, segments, role, mode, tables, changed_by, event_versions, live_since)
     VALUES ($1, nextval('synap.projection_build_numbers'), $2, $3, $4, 'async', $5, $6, $7::text::jsonb,
             CASE $4 WHEN 'live' THEN now() END)
     RETURNING build`,
    [
      projection.name,
      projection.version,
      segmentsOf(projection),
      role,
      tableScript(projection.tables, 0),
      by,
      JSON.stringify(projection.eventVersions),
    ],
  );
  const build = await readBuild(transaction, { projection: projection.name, build: made?.build ?? 0 });
  if (build === undefined)
    throw new ProjectionConflictError(`Projection "${projection.name}" was not built.`);
  await createTables(transaction, projection.tables, build.build);
  await createCheckpoints(transaction, build, 0);
  return build;
}
