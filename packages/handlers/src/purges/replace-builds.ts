import type { SqlSession } from "@synap/database";
import { isConflict, isLockTimeout } from "@synap/database/internal";
import { handles } from "../handler/event-handler.ts";
import { type Build, readBuilds } from "../projection-builds/projection-builds.ts";
import type { Projections } from "../projection-builds/projections.ts";
import {
  CutoverRefusedError,
  ProjectionConflictError,
  ProjectionNotFoundError,
} from "../projections/projection-errors.ts";
import type { ProjectionRegistry } from "../projections/projection-registry.ts";

/** The actor of these changes. */
const BY = { by: "system:purge" };

/** A purge whose events may still be in read models. */
export interface OpenPurge {
  readonly id: string;
  /** Builds up to this number may have read its events. */
  readonly last_build: number;
  readonly event_types: readonly string[];
}

/**
 * Takes the next step towards read models without purged events: starts a new build of each projection that may have read them, makes it
 * live once it has caught up, and drops the old one.
 *
 * @returns the purges of which no build of their time is left
 */
export async function replaceBuilds(
  session: SqlSession,
  registry: ProjectionRegistry,
  projections: Projections,
  purges: readonly OpenPurge[],
): Promise<OpenPurge[]> {
  const isStale = (build: Build) => purges.some((purge) => mayHaveRead(registry, build, purge));
  const builds = await readBuilds(session);
  for (const name of registry.names) {
    const own = builds.filter(({ projection }) => projection === name);
    if (own.some(isStale)) await replaceOne(projections, own, isStale).catch(expectRefusal);
  }
  const left = await readBuilds(session);
  return purges.filter((purge) => !left.some((build) => mayHaveRead(registry, build, purge)));
}

/** True for a build of before the purge, unless its projection has nothing to do with the purged types. */
function mayHaveRead(registry: ProjectionRegistry, build: Build, purge: OpenPurge): boolean {
  if (build.build > purge.last_build) return false;
  const projection = registry.find(build.projection, build.version);
  return projection === undefined || purge.event_types.some((type) => handles(projection, type));
}

async function replaceOne(
  projections: Projections,
  builds: readonly Build[],
  isStale: (build: Build) => boolean,
): Promise<void> {
  const [live, building, previous] = (["live", "building", "previous"] as const).map((role) =>
    builds.find((build) => build.role === role),
  );
  if (previous !== undefined && isStale(previous)) await projections.drop(previous.projection, "previous");
  if (building !== undefined && isStale(building)) {
    const { projection: name, version } = building;
    await projections.drop(name, "building");
    await projections.rebuild(name, { ...BY, version });
    return;
  }
  if (live === undefined || !isStale(live)) return;
  const { projection: name, version } = live;
  if (building === undefined) {
    await projections.rebuild(name, { ...BY, version });
  } else if (building.version === version) {
    // The rows differ by what was purged.
    await projections.cutover(name, { ...BY, compare: false });
    await projections.drop(name, "previous");
  }
  // A new version becomes live when its operator decides so.
}

/** Throws unless another worker was faster, or the step is not due yet: the build has to catch up, or is paused. */
function expectRefusal(error: unknown): void {
  const isRefusal =
    error instanceof CutoverRefusedError ||
    error instanceof ProjectionConflictError ||
    error instanceof ProjectionNotFoundError;
  if (!isRefusal && !isConflict(error) && !isLockTimeout(error)) throw error;
}
