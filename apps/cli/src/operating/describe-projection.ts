import type { Resource } from "@synap/client";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import { count, counted } from "@synap/types/internal";
import { duration } from "../terminal/numbers.ts";
import { cut, formatFields, formatTable, plain } from "../terminal/table.ts";

type Projection = Resource<"Projection">;
type ProjectionBuild = Resource<"ProjectionBuild">;

/** The difference between two builds in one table. */
export type TableDifference = Resource<"ProjectionComparison">["differences"][number];

/** Formats a table of all builds of all projections. */
export function describeProjections(projections: readonly Projection[]): string {
  const rows = projections.flatMap(({ name, state, builds }) =>
    builds.length === 0
      ? [[name, "", "", state]]
      : builds.map((build) => [
          name,
          build.role,
          String(build.version),
          build.state,
          count(build.lagEvents),
          build.lagSeconds === 0 ? "" : duration(build.lagSeconds * 1000),
          count(build.openDeadLetters),
          count(build.parkedEvents),
        ]),
  );
  const columns = ["PROJECTION", "BUILD", "VERSION", "STATE", "LAG", "BEHIND", "DEAD LETTERS", "WAITING"];
  const left = new Set(["PROJECTION", "BUILD", "STATE"]);
  return formatTable(
    columns.map((title) => ({ title, align: left.has(title) ? "left" : "right" })),
    rows,
  );
}

/** Formats the details of one projection and its builds. */
export function describeProjection(projection: Projection): string {
  const { name, description = "not one of this process", mode, newestVersion } = projection;
  const head = formatFields([
    ["projection", name],
    ["keeps", description],
    ["mode", mode],
    ["newest version", newestVersion === undefined ? undefined : String(newestVersion)],
    ["state", projection.state],
  ]);
  return [head, ...projection.builds.map(describeBuild)].join("\n\n");
}

function describeBuild(build: ProjectionBuild): string {
  const behind = build.lagSeconds === 0 ? "" : `, the first for ${duration(build.lagSeconds * 1000)}`;
  return formatFields([
    ["build", `${build.build}, ${build.role}, of version ${build.version}`],
    ["state", `${build.state}, ${build.mode}`],
    ["checkpoint", `${build.checkpoint}, ${Math.floor(build.progress * 100)} % of all events`],
    [
      "lag",
      build.lagEvents === 0 ? "none" : `${counted(build.lagEvents, "event waits", "events wait")}${behind}`,
    ],
    ["dead letters", build.openDeadLetters === 0 ? undefined : describeLetters(build)],
    ["last failure", build.failure === undefined ? undefined : cut(plain(build.failure), 84)],
    [
      "outdated",
      build.outdatedTypes === undefined
        ? undefined
        : `made with ${build.outdatedTypes.join(", ")}: if its code makes other rows now, ${SYNAP_COMMAND} projections rebuild`,
    ],
    ["made", build.createdAt],
    ["live since", build.liveSince],
    ["changed by", build.changedBy === undefined ? undefined : plain(build.changedBy)],
  ]);
}

/** Summarises the dead letters of a build. */
export function describeLetters({ openDeadLetters, parkedEvents }: ProjectionBuild): string {
  return `${count(openDeadLetters)} open, and ${counted(parkedEvents, "event waits", "events wait")} behind ${openDeadLetters === 1 ? "it" : "them"}: ${SYNAP_COMMAND} dead-letters list`;
}

/** Describes the rows in which the new build differs from the live one. */
export function describeDifferences(differences: readonly TableDifference[]): string {
  const rows = differences.map((each) => [
    each.table,
    count(each.onlyInOld),
    count(each.onlyInNew),
    count(each.different),
    each.examples.slice(0, 3).join(" "),
  ]);
  const notCompared = differences
    .filter(({ columnsNotCompared }) => columnsNotCompared.length > 0)
    .map(({ table, columnsNotCompared }) => `Not compared in ${table}: ${columnsNotCompared.join(", ")}.`);
  const table = formatTable(
    [
      { title: "TABLE" },
      { title: "ONLY LIVE", align: "right" },
      { title: "ONLY NEW", align: "right" },
      { title: "DIFFERENT", align: "right" },
      { title: "FOR EXAMPLE" },
    ],
    rows,
  );
  return [table, ...notCompared].join("\n");
}
