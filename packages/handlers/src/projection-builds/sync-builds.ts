import type { Transaction } from "@synap/database";
import { readCheckpoint } from "@synap/database/internal";
import { counted } from "@synap/types/internal";
import type { LogFollower } from "../dispatch/log-follower.ts";
import type { Projection } from "../projections/projection.ts";
import { CutoverRefusedError, ProjectionConflictError } from "../projections/projection-errors.ts";
import { type Build, checkpointNames, lockCheckpoints } from "./projection-builds.ts";
import { buildConsumers } from "./projection-runner.ts";

/** A build and the projection version that it runs. */
export interface BuildAndProjection {
  readonly build: Build;
  readonly projection: Projection;
}

/** Maximum number of events handled while the builds are locked against their workers. */
const MAX_BEHIND = 10_000;

/**
 * Locks the builds against their workers until the transaction ends, and brings every segment of those that follow the
 * log to the same position: the current watermark, which it returns.
 *
 * @throws CutoverRefusedError when the lag is too large, ProjectionConflictError when one is paused
 */
export async function syncBuilds(
  transaction: Transaction,
  follower: LogFollower,
  builds: readonly BuildAndProjection[],
): Promise<number> {
  const following = builds.filter(({ build }) => build.mode === "async");
  for (const { build } of following) {
    if (build.paused) throw new ProjectionConflictError(`Projection "${build.projection}" is paused.`);
    await lockCheckpoints(transaction, build);
  }
  const [row] = await transaction.query<{ watermark: number }>(
    "SELECT synap.append_watermark() * 1024 + 1023 AS watermark",
  );
  const target = row?.watermark ?? 0;
  for (const { build, projection } of following) {
    const behind = await eventsBehind(transaction, build);
    if (behind > MAX_BEHIND) {
      throw new CutoverRefusedError(
        build.projection,
        `build ${build.build} is ${counted(behind, "event")} behind`,
        behind,
      );
    }
    for (const consumer of buildConsumers(projection, build)) {
      let position = await readCheckpoint(transaction, consumer.checkpoint);
      while (position < target) {
        const pass = await follower.passInside(consumer, transaction, target);
        if (pass.status === "done") position = pass.position;
      }
    }
  }
  return target;
}

/** Counts the stored events after the build's lowest checkpoint. */
export async function eventsBehind(transaction: Transaction, build: Build): Promise<number> {
  if (build.mode === "inline") return 0;
  let lowest = Number.MAX_SAFE_INTEGER;
  for (const name of checkpointNames(build)) {
    lowest = Math.min(lowest, await readCheckpoint(transaction, name));
  }
  const [row] = await transaction.query<{ events: number }>(
    `SELECT coalesce(sum(count), 0)::bigint AS events FROM synap.appends
      WHERE number >= $1::bigint >> 10 AND last_position > $1::bigint`,
    [lowest],
  );
  return row?.events ?? 0;
}
