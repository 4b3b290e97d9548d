import type { SqlSession, Transaction } from "@synap/database";

export type BuildRole = "live" | "building" | "previous";

/** One run of a projection from the first event on, and its tables. */
export interface Build {
  readonly projection: string;
  readonly build: number;
  readonly version: number;
  readonly segments: number;
  readonly role: BuildRole;
  readonly feed: "async" | "inline";
  readonly paused: boolean;
  readonly failure: string | null;
  readonly tables: string;
  readonly createdAt: Date;
  readonly liveSince: Date | null;
  readonly changedBy: string | null;
  readonly handledAhead: readonly number[] | null;
}

const COLUMNS = `projection, build, version, segments, role, feed, paused, failure, tables, created_at AS "createdAt",
       live_since AS "liveSince", changed_by AS "changedBy", handled_ahead AS "handledAhead"`;

/** The builds of one projection, or of all, the oldest first. */
export function readBuilds(session: SqlSession, projection: string | null = null): Promise<Build[]> {
  return session.query<Build>(
    `SELECT ${COLUMNS} FROM synap.projection_builds WHERE $1::text IS NULL OR projection = $1 ORDER BY projection, build`,
    [projection],
  );
}

/** One build as it is now. */
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
 * Makes this transaction the only one that changes builds of the projection, until its end. Gives up after 5 s on
 * locks that it takes from here on: who waits for a lock on appends holds up the appends behind it.
 */
export async function lockProjection(transaction: Transaction, projection: string): Promise<Build[]> {
  await transaction.query("SELECT set_config('lock_timeout', '5s', true)");
  await transaction.query("LOCK TABLE synap.build_changes IN EXCLUSIVE MODE");
  return readBuilds(transaction, projection);
}

/** Keeps appends from beginning to feed inline builds, and waits for those that do: see synap.inline_builds. */
export async function lockInlineFeeds(transaction: Transaction): Promise<void> {
  await transaction.query("LOCK TABLE synap.inline_feeds IN EXCLUSIVE MODE");
}

/** The name under which a build's dead letters are kept; its checkpoint's too, when it has one segment. */
export function buildName({ projection, build }: Pick<Build, "projection" | "build">): string {
  return `${projection}/${build}`;
}

/** The names of a build's checkpoints, one for each segment. */
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

/** Waits for the passes of a build, and lets none begin. */
export async function lockCheckpoints(
  transaction: Transaction,
  build: Pick<Build, "projection" | "build" | "segments">,
): Promise<void> {
  const names = JSON.stringify(checkpointNames(build));
  await transaction.query(CREATE_CHECKPOINTS, [names, 0]);
  await transaction.query(LOCK_CHECKPOINTS, [names]);
}

/** Makes the checkpoints of a build. */
export async function createCheckpoints(
  transaction: Transaction,
  build: Pick<Build, "projection" | "build" | "segments">,
  position: number,
): Promise<void> {
  await transaction.query(CREATE_CHECKPOINTS, [JSON.stringify(checkpointNames(build)), position]);
}

/** Removes the checkpoints of a build: it is fed inline, or dropped. */
export async function removeCheckpoints(
  session: SqlSession,
  build: Pick<Build, "projection" | "build" | "segments">,
): Promise<void> {
  await session.query(
    "DELETE FROM synap.checkpoints WHERE handler = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))",
    [JSON.stringify(checkpointNames(build))],
  );
}
