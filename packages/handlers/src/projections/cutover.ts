import type { Transaction } from "@synap/database";
import type { LogFollower } from "../dispatch/log-follower.ts";
import { type TableDifference, totalDifference } from "./compare-builds.ts";
import { type Build, lockInlineFeeds, readBuild } from "./projection-builds.ts";
import { CutoverRefusedError, ProjectionConflictError } from "./projection-errors.ts";
import { showBuild } from "./read-tables.ts";
import { feedFromLog, handOver } from "./switch-feed.ts";
import { type BuildAndProjection, eventsBehind, syncBuilds } from "./sync-builds.ts";

/** How near a new build must be to take over. */
export interface CutoverBounds {
  /** Stored events that it may be behind at the beginning; they are handled before it takes over. Default 1,000. */
  readonly maxLagEvents?: number;
  /** Rows that may differ. Default 0: a version that makes other rows on purpose is told how many. */
  readonly maxDifference?: number;
  /** False: rows aren't compared. For tables so large that comparing them takes longer than passes may wait. */
  readonly compare?: boolean;
}

/** What a cutover or rollback did. */
export interface CutoverReport {
  readonly projection: string;
  readonly liveBuild: number;
  readonly liveVersion: number;
  /** Kept, and fed, for a rollback. */
  readonly previousBuild: number;
  readonly lagEvents: number;
  readonly differences: readonly TableDifference[];
}

/** What is swapped. */
export interface CutoverPlan {
  readonly from: BuildAndProjection;
  readonly to: BuildAndProjection;
  readonly bounds: CutoverBounds;
  readonly by: string;
  readonly differences: () => Promise<TableDifference[]>;
}

/** Lets one build take another's place behind the views. The caller holds the projection's lock. */
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
      `it is ${lagEvents} events behind, ${maxLagEvents} are allowed`,
      lagEvents,
    );
  }
  await syncBuilds(transaction, follower, [from, to]);
  const isInline = [from, to].some(
    (each) => each.build.feed === "inline" || each.projection.mode === "inline",
  );
  if (isInline) await handOverBoth(transaction, [from, to]);
  const found = compare ? await differences() : [];
  const total = totalDifference(found);
  if (total > maxDifference) {
    const reason = `${total} rows differ, ${maxDifference} are allowed`;
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
  const tables = to.projection.tables.map((table) => table.name);
  const gone = from.projection.tables.map((table) => table.name).filter((table) => !tables.includes(table));
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

/** Keeps appends from going on, and brings both builds to what is committed: every append is in both, or in none. */
async function handOverBoth(transaction: Transaction, builds: readonly BuildAndProjection[]): Promise<void> {
  await lockInlineFeeds(transaction);
  for (const { build, projection } of builds) {
    const now = await current(transaction, build);
    if (now.feed === "async" && !(await handOver(transaction, projection, now))) {
      throw new CutoverRefusedError(build.projection, "too much was appended meanwhile", 0);
    }
  }
}

/** A build of an asynchronous version follows the log again. */
async function goBackToLog(transaction: Transaction, builds: readonly BuildAndProjection[]): Promise<void> {
  for (const { build, projection } of builds) {
    if (projection.mode === "async") {
      await feedFromLog(transaction, projection, await current(transaction, build));
    }
  }
}

async function current(transaction: Transaction, build: Build): Promise<Build> {
  const now = await readBuild(transaction, build);
  if (now === undefined) throw new ProjectionConflictError(`A build of "${build.projection}" was dropped.`);
  return now;
}
