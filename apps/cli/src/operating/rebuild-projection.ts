import { setTimeout as sleep } from "node:timers/promises";
import { isProblem, type Resource } from "@synap/client";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { counted } from "@synap/types/internal";
import { ProgressLine } from "../terminal/progress-line.ts";
import { plain } from "../terminal/table.ts";
import type { Api } from "./connection.ts";
import { describeLetters } from "./describe-projection.ts";

type ProjectionBuild = Resource<"ProjectionBuild">;

const LOOK_MS = 500;
/** Lag within which a build can be compared and cut over, in events. The remaining events are handled first. */
const NEAR_EVENTS = 1_000;
/** Maximum time to stay within that lag without catching up, in a store under constant writes. */
const NEAR_MS = 5_000;
/** Maximum time of a failing pass, or without a worker that has the version. */
const TROUBLE_MS = 10_000;

/** Starts a build, or finds the one in progress, and prints its version. */
export async function beginRebuild(
  api: Api,
  name: string,
  version: number | undefined,
): Promise<{ build: ProjectionBuild; isNew: boolean }> {
  try {
    const build = await api.admin.rebuildProjection(name, version === undefined ? {} : { version });
    return { build, isNew: true };
  } catch (error) {
    if (!isProblem(error, "projection-conflict")) throw error;
    const build = buildUnderWay(await api.admin.projection(name));
    if (build === undefined || (version !== undefined && build.version !== version)) throw error;
    return { build, isNew: false };
  }
}

/**
 * Shows the progress of the build until it has caught up.
 *
 * @throws ExitError when no worker has its version, or it keeps failing; the build stays
 */
export async function watchRebuild(api: Api, name: string): Promise<ProjectionBuild> {
  const line = new ProgressLine();
  let nearSince: number | undefined;
  let troubleSince: number | undefined;
  try {
    for (;;) {
      const build = buildUnderWay(await api.admin.projection(name));
      if (build === undefined) throw new ExitError(EXIT.failed, `The new build of ${name} is gone.`);
      const isThere = build.lagEvents === 0;
      line.show(build.progress, `${counted(build.lagEvents, "event")} to go`, { always: isThere });
      const now = performance.now();
      nearSince = build.lagEvents <= NEAR_EVENTS ? (nearSince ?? now) : undefined;
      if (isThere || (nearSince !== undefined && now - nearSince > NEAR_MS)) {
        line.end();
        if (build.openDeadLetters > 0) console.error(`It has dead letters: ${describeLetters(build)}`);
        return build;
      }
      troubleSince = troubleOf(build) === undefined ? undefined : (troubleSince ?? now);
      if (troubleSince !== undefined && now - troubleSince > TROUBLE_MS) {
        throw new ExitError(
          EXIT.failed,
          `${troubleOf(build)}\nThe build stays. Look at it: ${SYNAP_COMMAND} projections show ${name}. ` +
            `Give it up: ${SYNAP_COMMAND} projections drop ${name} building.`,
        );
      }
      await sleep(LOOK_MS);
    }
  } finally {
    line.end();
  }
}

/** Compares the new build with the live one and prints the rows that differ. @throws ExitError */
export function compareBuilds(api: Api, name: string) {
  return api.admin.compareProjection(name);
}

function buildUnderWay({ builds }: Resource<"Projection">): ProjectionBuild | undefined {
  return builds.find(({ role }) => role === "building");
}

function troubleOf({ state, failure, version }: ProjectionBuild): string | undefined {
  if (failure !== undefined) return `The build keeps failing: ${plain(failure)}`;
  if (state === "unregistered")
    return `Version ${version} is not known to the API, and perhaps to no worker.`;
  return undefined;
}
