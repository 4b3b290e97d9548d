import type { SqlSession } from "@synap/database";
import type { StreamName } from "@synap/types";
import type { IEventHandler } from "../handler/event-handler.ts";
import { buildName, checkpointNames, readBuilds } from "../projection-builds/projection-builds.ts";
import { segmentOf } from "../projections/projection.ts";
import type { ProjectionRegistry } from "../projections/projection-registry.ts";
import type { HandlerProcessing } from "./processing-state.ts";

/** A handler, or a build of a projection, that consumes events. */
export interface Consumer extends Pick<HandlerProcessing, "handler" | "projection" | "role"> {
  readonly mode: "inline" | "async";
  readonly eventTypes: readonly string[] | "all";
  /** The names of its checkpoints: none if it is inline, one for each segment of a build. */
  readonly checkpoints: readonly string[];
  /** Positions beyond the checkpoint that it has handled. */
  readonly handledAhead: ReadonlySet<number>;
}

/** The checkpoint on which the consumer's events of a stream depend; undefined if it is inline. */
export function checkpointFor({ checkpoints }: Consumer, stream: StreamName): string | undefined {
  return checkpoints.length > 1 ? checkpoints[segmentOf(stream, checkpoints.length)] : checkpoints[0];
}

const NONE: ReadonlySet<number> = new Set();

/** Lists the handlers of this process, and the builds of its projections. A build whose version it lacks is not listed. */
export async function readConsumers(
  session: SqlSession,
  handlers: readonly Pick<IEventHandler, "name" | "mode" | "eventTypes">[],
  registry: ProjectionRegistry,
): Promise<Consumer[]> {
  const builds = (await readBuilds(session)).flatMap((build): Consumer[] => {
    const projection = registry.find(build.projection, build.version);
    if (projection === undefined) return [];
    return [
      {
        handler: buildName(build),
        projection: build.projection,
        role: build.role,
        mode: build.mode,
        eventTypes: projection.eventTypes,
        checkpoints: build.mode === "inline" ? [] : checkpointNames(build),
        handledAhead: new Set(build.handledAhead ?? []),
      },
    ];
  });
  const own = handlers.map(
    ({ name, mode, eventTypes }): Consumer => ({
      handler: name,
      mode,
      eventTypes,
      checkpoints: mode === "inline" ? [] : [name],
      handledAhead: NONE,
    }),
  );
  return [...own, ...builds];
}
