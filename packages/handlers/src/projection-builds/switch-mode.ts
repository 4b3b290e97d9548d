import type { Transaction } from "@synap/database";
import {
  readCheckpoint,
  readCommitted,
  readCommittedPositions,
  saveCheckpoint,
} from "@synap/database/internal";
import { parkHeld } from "../dispatch/inline-handlers.ts";
import type { Projection } from "../projections/projection.ts";
import { ProjectionConflictError } from "../projections/projection-errors.ts";
import { projectionContext } from "../projections/read-tables.ts";
import {
  type Build,
  buildName,
  checkpointNames,
  lockCheckpoints,
  lockInlineBuilds,
  lockProjection,
  readBuild,
  removeCheckpoints,
} from "./projection-builds.ts";

/** Maximum number of events handled while appends wait for the switch. */
const MAX_UNDER_LOCK = 1_000;

/**
 * Switches a build to inline from the commit of this transaction on. Under the lock on inline builds, every append has
 * either finished, so that its events are handled here, or will see that the build is inline.
 *
 * @returns false when too many events are left to handle under the lock: let the build catch up first
 */
export async function switchToInline(
  transaction: Transaction,
  projection: Projection,
  { projection: name, build }: Pick<Build, "projection" | "build">,
): Promise<boolean> {
  await lockProjection(transaction, name);
  const now = await readBuild(transaction, { projection: name, build });
  if (now === undefined || now.mode === "inline" || now.paused) return false;
  await lockCheckpoints(transaction, now);
  await lockInlineBuilds(transaction);
  return handOver(transaction, projection, now);
}

/** As `switchToInline`, for a caller that already holds all the locks. */
export async function handOver(
  transaction: Transaction,
  projection: Projection,
  build: Build,
): Promise<boolean> {
  const name = buildName(build);
  // All segments are at the same position: an inline build has one, and a cutover has brought the others there.
  const after = await readCheckpoint(transaction, checkpointNames(build)[0] ?? name);
  const rest = await readCommitted(transaction, {
    after,
    types: projection.eventTypes,
    limit: MAX_UNDER_LOCK,
  });
  if (rest === undefined) return false;
  const handled = new Set(build.handledAhead ?? []);
  const events = await parkHeld(
    transaction,
    name,
    rest.filter((event) => !handled.has(event.position)),
  );
  if (events.length > 0) {
    await projection.apply(events, projectionContext(projection, build.build, transaction));
  }
  await transaction.query(
    "UPDATE synap.projection_builds SET mode = 'inline', handled_ahead = NULL WHERE projection = $1 AND build = $2",
    [build.projection, build.build],
  );
  await removeCheckpoints(transaction, build);
  return true;
}

/**
 * Switches an inline build to following the log from the commit of this transaction on. Its checkpoint is the watermark; events
 * handled beyond it, while an earlier append is unfinished, are recorded by position.
 *
 * @throws ProjectionConflictError when the watermark has been held back for so long that there are too many of them
 */
export async function switchToAsync(
  transaction: Transaction,
  projection: Projection,
  build: Build,
): Promise<void> {
  await lockInlineBuilds(transaction);
  const [row] = await transaction.query<{ watermark: number }>(
    "SELECT synap.append_watermark() * 1024 + 1023 AS watermark",
  );
  const watermark = row?.watermark ?? 0;
  const positions = await readCommittedPositions(transaction, {
    after: watermark,
    types: projection.eventTypes,
    limit: 10_000,
  });
  if (positions === undefined) {
    throw new ProjectionConflictError(
      `Projection "${projection.name}" can't stop being inline now: an unfinished append has held the watermark back for too long.`,
    );
  }
  await transaction.query(
    `UPDATE synap.projection_builds SET mode = 'async', handled_ahead = $3::text::jsonb
      WHERE projection = $1 AND build = $2`,
    [build.projection, build.build, positions.length === 0 ? null : JSON.stringify(positions)],
  );
  for (const name of checkpointNames(build)) await saveCheckpoint(transaction, name, watermark);
}
