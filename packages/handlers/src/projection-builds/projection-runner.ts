import type { Database, Transaction } from "@synap/database";
import { isConflict, isLockTimeout } from "@synap/database/internal";
import type { StoredEvent, StreamName } from "@synap/types";
import { thrownFacts } from "@synap/types/internal";
import type { EngineDeadLetters } from "../dead-letters/dead-letters.ts";
import type { HandlerPass } from "../dispatch/handler-pass.ts";
import type { LogConsumer } from "../dispatch/log-consumer.ts";
import type { LogFollower } from "../dispatch/log-follower.ts";
import type { DeadLetterTarget } from "../dispatch/release-chunk.ts";
import { handles, type IEventHandler } from "../handler/event-handler.ts";
import { inlineContext } from "../handler/handler-context.ts";
import { HandlerPassError } from "../handler/handler-errors.ts";
import { applyInDatabase } from "../projections/log-statement.ts";
import { type Projection, segmentOf } from "../projections/projection.ts";
import { ProjectionConflictError } from "../projections/projection-errors.ts";
import type { ProjectionRegistry } from "../projections/projection-registry.ts";
import { projectionContext } from "../projections/read-tables.ts";
import { checkUnchanged, installProjection } from "./install-projection.ts";
import { type Build, buildName, checkpointNames, readBuild, readBuilds } from "./projection-builds.ts";
import { switchToInline } from "./switch-mode.ts";

/** Runs projections: asynchronous builds in passes along the log, inline builds in the appends. */
export class ProjectionRunner {
  readonly #database: Database;
  readonly #follower: LogFollower;
  readonly #registry: ProjectionRegistry;

  constructor(parts: { database: Database; follower: LogFollower; registry: ProjectionRegistry }) {
    this.#database = parts.database;
    this.#follower = parts.follower;
    this.#registry = parts.registry;
  }

  /**
   * Runs one pass of every segment of every build that follows the log, and creates the first build if there is none. A build
   * of an inline projection that has caught up becomes inline.
   *
   * @param announced as for `LogFollower.catchUp`
   * @throws HandlerPassError when a pass failed; the passes of the other builds were run.
   */
  async catchUp(
    name: string,
    deadLetters: Pick<EngineDeadLetters, "releaseAll">,
    announced?: number,
  ): Promise<HandlerPass> {
    const passes: HandlerPass[] = [];
    const failures: unknown[] = [];
    for (const build of await this.#installed(name)) {
      const projection = this.#registry.find(name, build.version);
      if (projection === undefined || build.paused) continue;
      try {
        checkUnchanged(projection, build);
      } catch (error) {
        failures.push(error);
        await this.#noteFailure(build, error);
        continue;
      }
      if (build.mode === "inline") {
        await deadLetters.releaseAll(buildName(build));
        continue;
      }
      const results = await Promise.allSettled(
        buildConsumers(projection, build).map((consumer) => this.#follower.catchUp(consumer, announced)),
      );
      const done = results.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      const failed = results.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
      passes.push(...done);
      failures.push(...failed);
      await this.#noteFailure(build, failed[0]);
      if (
        failed.length === 0 &&
        projection.mode === "inline" &&
        build.role !== "building" &&
        areCaughtUp(done)
      ) {
        await this.#trySwitchToInline(projection, build);
      }
    }
    if (failures.length > 0) throw failures[0];
    return summarise(passes);
  }

  /** True if an inline build may consume events of this type. */
  handlesInline(type: string): boolean {
    return this.#registry.handlesInline(type);
  }

  /** The inline builds that consume some of these events, as handlers, for an append that has just stored them. */
  async inlineHandlers(transaction: Transaction, stored: readonly StoredEvent[]): Promise<IEventHandler[]> {
    const names = this.#registry.inlineNames;
    if (names.length === 0) return [];
    const builds = await transaction.query<Pick<Build, "projection" | "build" | "version">>(
      "SELECT projection, build, version FROM synap.inline_builds($1::text::jsonb)",
      [JSON.stringify(names)],
    );
    return builds.flatMap((build) => {
      const projection = this.#registry.find(build.projection, build.version);
      if (projection === undefined) return [];
      const handler = buildHandler(projection, build);
      return stored.some((event) => handles(handler, event.type)) ? [handler] : [];
    });
  }

  /** The target for retries of a build's dead letters, which exclude passes and appends that write the build. */
  target(name: string): DeadLetterTarget | undefined {
    const [projectionName = "", number = ""] = name.split("/");
    const build = { projection: projectionName, build: Number(number) };
    if (number === "" || !this.#registry.names.includes(projectionName)) return undefined;
    const registry = this.#registry;
    let known: IEventHandler | undefined;
    return {
      handler: {
        name,
        description: "A build of a projection.",
        eventTypes: "all",
        mode: "async",
        handle: async (events, context) => {
          if (known === undefined)
            throw new ProjectionConflictError(`Build ${name} isn't known to this process.`);
          await known.handle(events, context);
        },
      },
      context: (transaction) => inlineContext(name, transaction),
      lock: async (transaction, stream) => {
        const row = await lockBuildFor(transaction, build, stream);
        const projection = registry.find(projectionName, row.version);
        if (projection === undefined) {
          throw new ProjectionConflictError(
            `Version ${row.version} of projection "${projectionName}" isn't registered in this process.`,
          );
        }
        known = buildHandler(projection, row);
      },
    };
  }

  async #installed(name: string): Promise<Build[]> {
    const builds = await readBuilds(this.#database, name);
    if (builds.some((build) => build.role === "live")) return builds;
    await this.#database.transaction((transaction) =>
      installProjection(transaction, this.#registry.newest(name)),
    );
    return readBuilds(this.#database, name);
  }

  async #trySwitchToInline(projection: Projection, build: Build): Promise<void> {
    try {
      await this.#database.transaction((transaction) => switchToInline(transaction, projection, build));
    } catch (error) {
      // A long append, or a deadlock with one: the next pass tries again.
      if (!isConflict(error) && !isLockTimeout(error)) throw error;
    }
  }

  async #noteFailure(build: Build, error: unknown): Promise<void> {
    if (error instanceof HandlerPassError && error.transient) return;
    const failure = error === undefined ? null : thrownFacts(error).message;
    if (failure === build.failure) return;
    await this.#database.query(
      "UPDATE synap.projection_builds SET failure = $3 WHERE projection = $1 AND build = $2",
      [build.projection, build.build, failure],
    );
  }
}

/** Wraps a build as a handler, under whose name its dead letters are stored. */
function buildHandler(projection: Projection, build: Pick<Build, "projection" | "build">): IEventHandler {
  return {
    name: buildName(build),
    description: projection.description,
    eventTypes: projection.eventTypes,
    mode: "async",
    handle: (events, { transaction }) =>
      projection.apply(events, projectionContext(projection, build.build, transaction)),
  };
}

/** The consumers of a build that follows the log, one per segment. */
export function buildConsumers(projection: Projection, build: Build): LogConsumer[] {
  const handler = buildHandler(projection, build);
  const { segments } = build;
  const { statement, eventTypes } = projection;
  return checkpointNames(build).map((checkpoint, segment) => ({
    handler,
    checkpoint,
    build,
    ...(segments > 1 && { accepts: (stream) => segmentOf(stream, segments) === segment }),
    ...(statement !== undefined && {
      applyInDatabase: (transaction, range) =>
        applyInDatabase(
          range,
          eventTypes,
          projectionContext(projection, build.build, transaction),
          statement,
        ),
    }),
  }));
}

/** Takes the locks that exclude passes and appends for one stream of a build. */
async function lockBuildFor(
  transaction: Transaction,
  build: Pick<Build, "projection" | "build">,
  stream: StreamName,
): Promise<Build> {
  await transaction.query("SELECT synap.lock_stream($1, $2)", [stream.aggregateType, stream.aggregateId]);
  const before = await readBuild(transaction, build);
  if (before === undefined) throw new ProjectionConflictError(`Build ${buildName(build)} was dropped.`);
  const checkpoint = checkpointNames(before)[segmentOf(stream, before.segments)] ?? buildName(build);
  await transaction.query("SELECT FROM synap.checkpoints WHERE handler = $1 FOR UPDATE", [checkpoint]);
  await transaction.query("LOCK TABLE synap.inline_builds_lock IN ROW SHARE MODE");
  const after = await readBuild(transaction, build);
  if (after?.mode !== before.mode || after.segments !== before.segments) {
    throw new ProjectionConflictError(`Build ${buildName(build)} is being changed. Try again.`);
  }
  return after;
}

function areCaughtUp(passes: readonly HandlerPass[]): boolean {
  return passes.every((pass) => pass.status === "done" && pass.caughtUp);
}

function summarise(passes: readonly HandlerPass[]): HandlerPass {
  const done = passes.flatMap((pass) => (pass.status === "done" ? [pass] : []));
  if (passes.length > 0 && done.length === 0) return { status: "busy" };
  return {
    status: "done",
    processed: done.reduce((sum, pass) => sum + pass.processed, 0),
    deadLettered: done.reduce((sum, pass) => sum + pass.deadLettered, 0),
    retrying: done.flatMap((pass) => pass.retrying),
    retryInMs: done.reduce<number | undefined>(
      (soonest, { retryInMs = soonest }) =>
        retryInMs === undefined ? undefined : Math.min(retryInMs, soonest ?? retryInMs),
      undefined,
    ),
    position: done.length === 0 ? 0 : Math.min(...done.map((pass) => pass.position)),
    caughtUp: done.every((pass) => pass.caughtUp),
  };
}
