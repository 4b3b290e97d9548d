import type { Database, EventStore, Transaction } from "@synap/database";
import { readCheckpoint, saveCheckpoint } from "@synap/database/internal";
import type { LogFollower } from "../dispatch/log-follower.ts";
import { type AsOf, type AsOfRequest, projectionAsOf, type ReadModelAsOf } from "../projections/as-of.ts";
import { type Projection, segmentsOf } from "../projections/projection.ts";
import { ProjectionConflictError, ProjectionNotFoundError } from "../projections/projection-errors.ts";
import type { ProjectionRegistry } from "../projections/projection-registry.ts";
import { compareTables, type TableDifference } from "./compare-builds.ts";
import { type CutoverBounds, type CutoverReport, settledReport, swapBuilds } from "./cutover.ts";
import { createBuild, installProjection } from "./install-projection.ts";
import {
  type Build,
  type BuildRole,
  buildName,
  checkpointNames,
  createCheckpoints,
  dropBuild,
  lockCheckpoints,
  lockProjection,
  readBuilds,
  removeCheckpoints,
} from "./projection-builds.ts";
import {
  type BuildStatus,
  buildStatus,
  type ProjectionStatus,
  projectionStatus,
} from "./projection-status.ts";
import { switchToAsync } from "./switch-mode.ts";
import { syncBuilds } from "./sync-builds.ts";

/** The actor of an operation, stored with the build. */
export interface ActorOptions {
  readonly by: string;
}

/** Operates projections: status, pause, rebuild, cutover and so on. Each call is one transaction. */
export class Projections<Name extends string = string> {
  readonly #database: Database;
  readonly #store: Pick<EventStore, "readAll">;
  readonly #registry: ProjectionRegistry;
  readonly #follower: LogFollower;

  constructor(parts: {
    database: Database;
    store: Pick<EventStore, "readAll">;
    registry: ProjectionRegistry;
    follower: LogFollower;
  }) {
    this.#database = parts.database;
    this.#store = parts.store;
    this.#registry = parts.registry;
    this.#follower = parts.follower;
  }

  /**
   * Creates the first builds of projections that have none. Workers do so by themselves; an API that reads the views may
   * too. Idempotent.
   */
  async prepare(): Promise<void> {
    for (const name of this.#registry.names) {
      await this.#database.transaction((transaction) =>
        installProjection(transaction, this.#registry.newest(name)),
      );
    }
  }

  /** Reads every projection with its builds, their checkpoints, lag and state. */
  status(): Promise<ProjectionStatus[]> {
    return projectionStatus(this.#database, this.#registry);
  }

  /** Reads the names of the builds that are part of appends, as PROJECTION/BUILD. */
  async inlineBuilds(): Promise<string[]> {
    return (await readBuilds(this.#database)).filter(({ mode }) => mode === "inline").map(buildName);
  }

  /**
   * Reads the position up to which the live build has handled the log: Infinity if it is inline, 0 before there is one.
   */
  async handledPosition(name: Name): Promise<number> {
    const live = (await readBuilds(this.#database, name)).find(({ role }) => role === "live");
    if (live === undefined) return 0;
    if (live.mode === "inline") return Number.POSITIVE_INFINITY;
    const checkpoints = checkpointNames(live).map((checkpoint) => readCheckpoint(this.#database, checkpoint));
    return Math.min(...(await Promise.all(checkpoints)));
  }

  /**
   * Stops applying events to the live build until `resume`. Its rows stay unchanged, also if it is inline.
   *
   * @throws ProjectionNotFoundError, ProjectionConflictError
   */
  async pause(name: Name, { by }: ActorOptions): Promise<BuildStatus> {
    return this.#change(name, "live", by, async (transaction, live) => {
      if (live.mode === "inline") await switchToAsync(transaction, this.#version(live), live);
      else await lockCheckpoints(transaction, live);
      await setPaused(transaction, live, true);
    });
  }

  /** Continues the live build from its checkpoint. An inline build catches up first. */
  async resume(name: Name, { by }: ActorOptions): Promise<BuildStatus> {
    return this.#change(name, "live", by, (transaction, live) => setPaused(transaction, live, false));
  }

  /**
   * Starts a new build of the newest (or given) version from the first event on, in parallel to the live one. The workers
   * fill it; `status` reports its progress.
   *
   * @throws ProjectionConflictError when a build is already under way: drop it first
   */
  async rebuild(
    name: Name,
    { by, version }: ActorOptions & { readonly version?: number },
  ): Promise<BuildStatus> {
    const projection =
      version === undefined ? this.#registry.newest(name) : this.#registry.find(name, version);
    if (projection === undefined) {
      throw new ProjectionNotFoundError(`Version ${version} of "${name}" isn't registered in this process.`);
    }
    return this.#database.transaction(async (transaction) => {
      await installProjection(transaction, this.#registry.newest(name));
      const builds = await readBuilds(transaction, name);
      if (builds.some((build) => build.role === "building")) {
        throw new ProjectionConflictError(`A build of "${name}" is under way. Drop it to begin another.`);
      }
      const build = await createBuild(transaction, projection, "building", by);
      return buildStatus(transaction, build, projection);
    });
  }

  /** Runs the shadow comparison: brings both builds to the same position and compares their rows. */
  async compare(name: Name): Promise<TableDifference[]> {
    return this.#database.transaction(async (transaction) => {
      const builds = await lockProjection(transaction, name);
      const [live, building] = [this.#pick(builds, name, "live"), this.#pick(builds, name, "building")];
      await syncBuilds(transaction, this.#follower, [this.#known(live), this.#known(building)]);
      return this.#differences(transaction, live, building);
    });
  }

  /**
   * Makes the new build live in one transaction, if its lag is small enough and its rows are the same: the views show it
   * from the commit on. The old one stays up to date as the previous build.
   *
   * @throws CutoverRefusedError when lag or difference exceed their bounds
   */
  async cutover(name: Name, { by, ...bounds }: ActorOptions & CutoverBounds): Promise<CutoverReport> {
    return this.#database.transaction(async (transaction) => {
      const builds = await lockProjection(transaction, name);
      const [live, building] = [this.#pick(builds, name, "live"), this.#pick(builds, name, "building")];
      const previous = builds.find((build) => build.role === "previous");
      if (previous !== undefined) await dropBuild(transaction, previous);
      return swapBuilds(transaction, this.#follower, {
        from: this.#known(live),
        to: this.#known(building),
        bounds,
        by,
        differences: () => this.#differences(transaction, live, building),
      });
    });
  }

  /**
   * Makes the previous build live again, in one transaction. A second call undoes that, unless `from` names the live build that is to be
   * rolled back: once it is the previous one, nothing changes any more.
   *
   * @throws ProjectionConflictError when `from` is neither the live build nor the previous one
   */
  async rollback(
    name: Name,
    { by, from }: ActorOptions & { readonly from?: number },
  ): Promise<CutoverReport> {
    return this.#database.transaction(async (transaction) => {
      const builds = await lockProjection(transaction, name);
      const [live, previous] = [this.#pick(builds, name, "live"), this.#pick(builds, name, "previous")];
      if (from === previous.build) return settledReport(live, previous);
      if (from !== undefined && from !== live.build) {
        throw new ProjectionConflictError(`Build ${from} of "${name}" is not live; build ${live.build} is.`);
      }
      return swapBuilds(transaction, this.#follower, {
        from: this.#known(live),
        to: this.#known(previous),
        bounds: { compare: false },
        by,
        differences: () => Promise.resolve([]),
      });
    });
  }

  /** Removes the previous build, or the one being built: its tables, checkpoints and parked events. */
  async drop(name: Name, role: "previous" | "building"): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      const builds = await lockProjection(transaction, name);
      await dropBuild(transaction, this.#pick(builds, name, role));
    });
  }

  /**
   * Splits the live build into the number of segments in its definition: brings its present segments to one position,
   * then starts the new ones there, in one transaction.
   *
   * @throws CutoverRefusedError when the lag exceeds 10,000 events: let the workers catch up first
   */
  async changeSegments(name: Name, { by }: ActorOptions): Promise<BuildStatus> {
    return this.#change(name, "live", by, async (transaction, live) => {
      const projection = this.#version(live);
      if (live.mode === "inline")
        throw new ProjectionConflictError(`"${name}" is inline and has one segment.`);
      const position = await syncBuilds(transaction, this.#follower, [{ build: live, projection }]);
      await removeCheckpoints(transaction, live);
      const changed = { ...live, segments: segmentsOf(projection) };
      await createCheckpoints(transaction, changed, position);
      for (const checkpoint of checkpointNames(changed)) {
        if ((await readCheckpoint(transaction, checkpoint)) < position) {
          await saveCheckpoint(transaction, checkpoint, position);
        }
      }
      await transaction.query(
        "UPDATE synap.projection_builds SET segments = $3 WHERE projection = $1 AND build = $2",
        [live.projection, live.build, changed.segments],
      );
    });
  }

  /** Computes the rows at a position or moment with the newest version. See `projectionAsOf`. */
  async asOf(
    name: Name,
    at: AsOf,
    options: Pick<AsOfRequest, "maxRows" | "maxBytes" | "maxEvents"> = {},
  ): Promise<ReadModelAsOf> {
    const projection = this.#registry.newest(name);
    return projectionAsOf({ database: this.#database, store: this.#store, projection, at, ...options });
  }

  async #change(
    name: string,
    role: BuildRole,
    by: string,
    work: (transaction: Transaction, build: Build) => Promise<void>,
  ): Promise<BuildStatus> {
    return this.#database.transaction(async (transaction) => {
      const build = this.#pick(await lockProjection(transaction, name), name, role);
      await work(transaction, build);
      await transaction.query(
        "UPDATE synap.projection_builds SET changed_by = $3 WHERE projection = $1 AND build = $2",
        [name, build.build, by],
      );
      const after = this.#pick(await readBuilds(transaction, name), name, role);
      return buildStatus(transaction, after, this.#registry.find(name, after.version));
    });
  }

  async #differences(transaction: Transaction, old: Build, fresh: Build): Promise<TableDifference[]> {
    const tables = new Map(
      [old, fresh].flatMap((build) => this.#version(build).tables.map((table) => [table.name, table])),
    );
    const differences: TableDifference[] = [];
    for (const table of tables.values()) {
      differences.push(await compareTables(transaction, table, old.build, fresh.build));
    }
    return differences;
  }

  /** @throws ProjectionNotFoundError */
  #pick(builds: readonly Build[], name: string, role: BuildRole): Build {
    const build = builds.find((each) => each.role === role);
    if (build !== undefined) return build;
    if (builds.length === 0) this.#registry.newest(name);
    throw new ProjectionNotFoundError(`Projection "${name}" has no ${role} build.`);
  }

  #known(build: Build): { build: Build; projection: Projection } {
    return { build, projection: this.#version(build) };
  }

  #version({ projection: name, version }: Build): Projection {
    const projection = this.#registry.find(name, version);
    if (projection !== undefined) return projection;
    throw new ProjectionNotFoundError(`Version ${version} of "${name}" isn't registered in this process.`);
  }
}

async function setPaused(transaction: Transaction, build: Build, paused: boolean): Promise<void> {
  await transaction.query(
    "UPDATE synap.projection_builds SET paused = $3 WHERE projection = $1 AND build = $2",
    [build.projection, build.build, paused],
  );
}
