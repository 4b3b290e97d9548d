import type { SqlSession, Transaction } from "@synap/database";
import { dropTables, tablesIn } from "../projections/read-tables.ts";

export type BuildRole = "live" | "building" | "previous";

/** One run of a projection from the first event on, with its own tables and checkpoints. */
export interface Build {
  readonly projection: string;
  readonly build: number;
  readonly version: number;
  readonly segments: number;
  readonly role: BuildRole;
  /** The current mode. A new build of an inline projection is async until it has caught up. */
  readonly mode: "async" | "inline";
  readonly paused: boolean;
  readonly failure: string | null;
  readonly tables: string;
  readonly createdAt: Date;
  readonly liveSince: Date | null;
  readonly changedBy: string | null;
  readonly handledAhead: readonly number[] | null;
  /** The versions of its event types when it began, without those of version 1; null for one of an earlier release. */
  readonly eventVersions: Readonly<Record<string, number>> | null;
}

const COLUMNS = `projection, build, version, segments, role, mode, paused, failure, tables, created_at AS "createdAt",
       live_since AS "liveSince", changed_by AS "changedBy", handled_ahead AS "handledAhead",
       event_versions AS "eventVersions"`;

/** Reads the builds of one projection, or of all, oldest first. */
export function readBuilds(session: SqlSession, projection: string | null = null): Promise<Build[]> {
  return session.query<Build>(
    `SELECT ${COLUMNS} FROM synap.projection_builds WHERE $1::text IS NULL OR projection = $1 ORDER BY projection, build`,
    [projection],
  );
}

/** Reads one build. */
export async function readBuild(
  session: SqlSession,
  { projection, build }: Pick<Build, "projection" | "build">,
): Promise<Build | undefined> {
  const [row] = await session.query<Build>(
    `SELECT ${COLUMNS} FROM synap.projection_builds WHERE projection = $1 AND build = $2`,
    [projection, build],
  );
  return row;
}

/**
 * Makes this transaction the only one that changes builds of the projection. From here on its lock waits time out
 * after 5 s, because a transaction that waits for a lock on appends blocks the appends behind it.
 */
export async function lockProjection(transaction: Transaction, projection: string): Promise<Build[]> {
  await transaction.query("SELECT set_config('lock_timeout', '5s', true)");
  await transaction.query("LOCK TABLE synap.build_changes IN EXCLUSIVE MODE");
  return readBuilds(transaction, projection);
}

/** Waits for appends that write inline builds, and keeps others from starting: see synap.inline_builds. */
export async function lockInlineBuilds(transaction: Transaction): Promise<void> {
  await transaction.query("LOCK TABLE synap.inline_builds_lock IN EXCLUSIVE MODE");
}

/** The handler name of a build's dead letters; also the name of its checkpoint if it has one segment. */
export function buildName({ projection, build }: Pick<Build, "projection" | "build">): string {
  return `${projection}/${build}`;
}

/** The names of a build's checkpoints, one per segment. */
export function checkpointNames(build: Pick<Build, "projection" | "build" | "segments">): string[] {
  const name = buildName(build);
  if (build.segments === 1) return [name];
  return Array.from({ length: build.segments }, (_, index) => `${name}/${index + 1}of${build.segments}`);
}

const LOCK_CHECKPOINTS = `
SELECT "position" FROM synap.checkpoints
 WHERE handler = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))
 ORDER BY handler
   FOR UPDATE`;

const CREATE_CHECKPOINTS = `
INSERT INTO synap.checkpoints (handler, "position")
SELECT name, $2 FROM jsonb_array_elements_text($1::text::jsonb) AS name
ON CONFLICT DO NOTHING`;

/** Waits for running passes of a build, and keeps others from starting. */
export async function lockCheckpoints(
  transaction: Transaction,
  build: Pick<Build, "projection" | "build" | "segments">,
): Promise<void> {
  const names = JSON.stringify(checkpointNames(build));
  await transaction.query(CREATE_CHECKPOINTS, [names, 0]);
  await transaction.query(LOCK_CHECKPOINTS, [names]);
}

/** Creates the checkpoints of a build. */
export async function createCheckpoints(
  transaction: Transaction,
  build: Pick<Build, "projection" | "build" | "segments">,
  position: number,
): Promise<void> {
  await transaction.query(CREATE_CHECKPOINTS, [JSON.stringify(checkpointNames(build)), position]);
}

/** Removes the checkpoints of a build that becomes inline or is dropped. */
export async function removeCheckpoints(
  session: SqlSession,
  build: Pick<Build, "projection" | "build" | "segments">,
): Promise<void> {
  await session.query(
    "DELETE FROM synap.checkpoints WHERE handler = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))",
    [JSON.stringify(checkpointNames(build))],
  );
}

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
