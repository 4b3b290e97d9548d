import type { SqlSession } from "@synap/database";
import type { ProjectionRegistry, RegisteredProjection } from "../projections/projection-registry.ts";
import { type Build, buildName, checkpointNames, readBuilds } from "./projection-builds.ts";

/** The status of one build. */
export interface BuildStatus {
  readonly build: number;
  readonly version: number;
  readonly role: Build["role"];
  readonly mode: Build["mode"];
  /**
   * running; paused; rebuilding (not live yet); failed (its last pass failed, see `failure`, and is retried);
   * unregistered (this process doesn't have its version, so possibly no worker does).
   */
  readonly state: "running" | "paused" | "rebuilding" | "failed" | "unregistered";
  /** The lowest checkpoint of its segments; the end of the log for an inline build. */
  readonly checkpoint: number;
  /** The checkpoint of each segment; empty for an inline build. */
  readonly segments: readonly number[];
  /** Number of stored events after the checkpoint, of any type. */
  readonly lagEvents: number;
  /** Age of the first of them; 0 when there is none. */
  readonly lagSeconds: number;
  /** Fraction of all events before the checkpoint, 0 to 1. */
  readonly progress: number;
  readonly openDeadLetters: number;
  /** Number of events that wait behind them. */
  readonly parkedEvents: number;
  readonly failure?: string;
  /**
   * The event types that have a newer version than when the build began, such as `order.placed@2`: its rows of before were made from data of
   * that version. Absent if there are none, and where this process doesn't have the build's version.
   */
  readonly outdatedTypes?: readonly string[];
  readonly createdAt: string;
  readonly liveSince?: string;
  readonly changedBy?: string;
}

/** A projection and its builds. */
export interface ProjectionStatus {
  readonly name: string;
  readonly description?: string;
  readonly mode?: "inline" | "async";
  /** The version of the live build. */
  readonly state: BuildStatus["state"] | "not built";
  /** The newest version registered in this process. */
  readonly newestVersion?: number;
  readonly builds: readonly BuildStatus[];
}

const STATUS = `
WITH build AS (
  SELECT coalesce(min(c."position"), (SELECT max(last_position) FROM synap.appends), 0) AS checkpoint,
         coalesce(json_agg(c."position" ORDER BY c.handler) FILTER (WHERE c.handler IS NOT NULL), '[]') AS segments
    FROM synap.checkpoints AS c
   WHERE c.handler = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))
), behind AS (
  SELECT a.number, a.recorded_at,
         CASE WHEN a.number = p.checkpoint >> 10 THEN a.last_position - p.checkpoint ELSE a.count END AS events
    FROM build AS p, synap.appends AS a
   WHERE a.number >= p.checkpoint >> 10 AND a.last_position > p.checkpoint
)
SELECT p.checkpoint, p.segments,
       (SELECT coalesce(sum(events), 0)::bigint FROM behind) AS lag,
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0)::float8 FROM behind) AS seconds,
       (SELECT coalesce(sum(count), 0)::bigint FROM synap.appends) AS events,
       (SELECT count(*) FROM synap.dead_letters WHERE handler = $2 AND status = 'open') AS "deadLetters",
       (SELECT count(*) FROM synap.parked_events WHERE handler = $2) AS parked
  FROM build AS p`;

interface StatusRow {
  readonly checkpoint: number;
  readonly segments: number[];
  readonly lag: number;
  readonly seconds: number;
  readonly events: number;
  readonly deadLetters: number;
  readonly parked: number;
}

/** Reads the status of every projection of this process or with builds in the database. Takes some ms per million appends. */
export async function projectionStatus(
  session: SqlSession,
  registry: ProjectionRegistry,
): Promise<ProjectionStatus[]> {
  const builds = await readBuilds(session);
  const names = new Set([...registry.names, ...builds.map((build) => build.projection)]);
  const statuses: ProjectionStatus[] = [];
  for (const name of names) {
    const own: BuildStatus[] = [];
    for (const build of builds.filter((each) => each.projection === name)) {
      own.push(await buildStatus(session, build, registry.find(name, build.version)));
    }
    const newest = registry.names.includes(name) ? registry.newest(name) : undefined;
    const live = own.find((build) => build.role === "live");
    statuses.push({
      name,
      ...(newest !== undefined && {
        description: newest.description,
        mode: newest.mode,
        newestVersion: newest.version,
      }),
      state: live?.state ?? "not built",
      builds: own,
    });
  }
  return statuses;
}

/** Reads the status of one build. */
export async function buildStatus(
  session: SqlSession,
  build: Build,
  projection: RegisteredProjection | undefined,
): Promise<BuildStatus> {
  const names = build.mode === "inline" ? [] : checkpointNames(build);
  const [row] = await session.query<StatusRow>(STATUS, [JSON.stringify(names), buildName(build)]);
  if (row === undefined) throw new Error("The status query returned no row.");
  const outdatedTypes = outdatedTypesOf(build, projection);
  return {
    build: build.build,
    version: build.version,
    role: build.role,
    mode: build.mode,
    state: stateOf(build, projection !== undefined),
    checkpoint: row.checkpoint,
    segments: row.segments,
    lagEvents: row.lag,
    lagSeconds: row.seconds,
    progress: row.events === 0 ? 1 : 1 - row.lag / row.events,
    openDeadLetters: row.deadLetters,
    parkedEvents: row.parked,
    ...(build.failure !== null && { failure: build.failure }),
    ...(outdatedTypes.length > 0 && { outdatedTypes }),
    createdAt: build.createdAt.toISOString(),
    ...(build.liveSince !== null && { liveSince: build.liveSince.toISOString() }),
    ...(build.changedBy !== null && { changedBy: build.changedBy }),
  };
}

function outdatedTypesOf(
  { eventVersions }: Build,
  projection: Pick<RegisteredProjection, "eventVersions"> | undefined,
): string[] {
  if (eventVersions === null || projection === undefined) return [];
  return Object.entries(projection.eventVersions).flatMap(([type, version]) => {
    const before = eventVersions[type] ?? 1;
    return before < version ? [`${type}@${before}`] : [];
  });
}

function stateOf(build: Build, isKnown: boolean): BuildStatus["state"] {
  if (build.paused) return "paused";
  if (!isKnown) return "unregistered";
  if (build.failure !== null) return "failed";
  return build.role === "building" ? "rebuilding" : "running";
}
