import type { Transaction } from "@synap/database";
import { counted } from "@synap/types/internal";
import type { LogFollower } from "../dispatch/log-follower.ts";
import { CutoverRefusedError, ProjectionConflictError } from "../projections/projection-errors.ts";
import { showBuild } from "../projections/read-tables.ts";
import { type TableDifference, totalDifference } from "./compare-builds.ts";
import { type Build, lockInlineBuilds, readBuild } from "./projection-builds.ts";
import { handOver, switchToAsync } from "./switch-mode.ts";
import { type BuildAndProjection, eventsBehind, syncBuilds } from "./sync-builds.ts";

/** The bounds within which a new build may become live. */
export interface CutoverBounds {
  /** Maximum lag in events at the start; they are handled before the cutover. Default 1,000. */
  readonly maxLagEvents?: number;
  /** Maximum number of differing rows. Default 0: raise it for a version that changes rows on purpose. */
  readonly maxDifference?: number;
  /** False to skip the comparison, for tables so large that passes can't wait that long. */
  readonly compare?: boolean;
}

/** The result of a cutover or rollback. */
export interface CutoverReport {
  readonly projection: string;
  readonly liveBuild: number;
  readonly liveVersion: number;
  /** The previous build, which stays up to date for a rollback. */
  readonly previousBuild: number;
  readonly lagEvents: number;
  readonly differences: readonly TableDifference[];
}

/** The two builds to swap and the bounds to respect. */
export interface CutoverPlan {
  readonly from: BuildAndProjection;
  readonly to: BuildAndProjection;
  readonly bounds: CutoverBounds;
  readonly by: string;
  readonly differences: () => Promise<TableDifference[]>;
}

/** Switches the views from one build to another. The caller holds the projection's lock. */
export async function swapBuilds(
  transaction: Transaction,
  follower: LogFollower,
  { from, to, bounds, by, differences }: CutoverPlan,
): Promise<CutoverReport> {
  const name = to.build.projection;
  if (to.build.failure !== null) {
    throw new CutoverRefusedError(name, `its last pass failed: ${to.build.failure}`, 0);
  }
  const lagEvents = await eventsBehind(transaction, to.build);
  const { maxLagEvents = 1_000, maxDifference = 0, compare = true } = bounds;
  if (lagEvents > maxLagEvents) {
    throw new CutoverRefusedError(
      name,
      `it is ${counted(lagEvents, "event")} behind, ${counted(maxLagEvents, "is", "are")} allowed`,
      lagEvents,
    );
  }
  await syncBuilds(transaction, follower, [from, to]);
  const isInline = [from, to].some(
    (each) => each.build.mode === "inline" || each.projection.mode === "inline",
  );
  if (isInline) await handOverBoth(transaction, [from, to]);
  const found = compare ? await differences() : [];
  const total = totalDifference(found);
  if (total > maxDifference) {
    const reason = `${counted(total, "row differs", "rows differ")}, ${counted(maxDifference, "is", "are")} allowed`;
    throw new CutoverRefusedError(name, reason, lagEvents, total);
  }
  if (isInline) await goBackToLog(transaction, [from, to]);
  await transaction.query(
    `UPDATE synap.projection_builds
        SET role = CASE build WHEN $3 THEN 'live' ELSE 'previous' END,
            live_since = CASE build WHEN $3 THEN now() ELSE live_since END,
            changed_by = $4
      WHERE projection = $1 AND build IN ($2, $3)`,
    [name, from.build.build, to.build.build, by],
  );
  const { tables } = to.projection;
  const shown = new Set(tables.map((table) => table.name));
  const gone = from.projection.tables.map((table) => table.name).filter((table) => !shown.has(table));
  await showBuild(transaction, tables, to.build.build, gone);
  return {
    projection: name,
    liveBuild: to.build.build,
    liveVersion: to.build.version,
    previousBuild: from.build.build,
    lagEvents,
    differences: found,
  };
}

/** Blocks appends and brings both builds up to the last commit, so that every append is in both or in neither. */
async function handOverBoth(transaction: Transaction, builds: readonly BuildAndProjection[]): Promise<void> {
  await lockInlineBuilds(transaction);
  for (const { build, projection } of builds) {
    const now = await current(transaction, build);
    if (now.mode === "async" && !(await handOver(transaction, projection, now))) {
      throw new CutoverRefusedError(build.projection, "too many events were appended in the meantime", 0);
    }
  }
}

/** Switches a build of an asynchronous version back to following the log. */
async function goBackToLog(transaction: Transaction, builds: readonly BuildAndProjection[]): Promise<void> {
  for (const { build, projection } of builds) {
    if (projection.mode === "async") {
      await switchToAsync(transaction, projection, await current(transaction, build));
    }
  }
}

async function current(transaction: Transaction, build: Build): Promise<Build> {
  const now = await readBuild(transaction, build);
  if (now === undefined) throw new ProjectionConflictError(`A build of "${build.projection}" was dropped.`);
  return now;
}

/** The report of a rollback that has happened before. */
export function settledReport(live: Build, previous: Build): CutoverReport {
  return {
    projection: live.projection,
    liveBuild: live.build,
    liveVersion: live.version,
    previousBuild: previous.build,
    lagEvents: 0,
    differences: [],
  };
}
