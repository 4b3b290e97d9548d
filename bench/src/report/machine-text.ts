import { duration } from "@synap/cli/terminal/numbers.ts";
import { numberText } from "./figure-text.ts";
import type { EngineVersions, Report } from "./report.ts";

/** Machine and time of a report, as names and values. */
export function describeSurroundings(report: Report): (readonly [name: string, value: string])[] {
  const { machine, commit, engines } = report;
  return [
    ["processor", `${machine.cpu}, ${machine.cores} cores`],
    ["memory", `${numberText(machine.memoryBytes / 1024 ** 3)} GiB`],
    ["system", machine.os],
    ["Node.js", machine.node],
    ...engines.map((engine) => [`${engine.engine} engine`, engineText(engine)] as const),
    ["load before", `${machine.loadAverage.join(", ")} (1, 5 and 15 minutes)`],
    ["commit", commit === undefined ? "unknown" : `${commit.id}${commit.changed ? " with changes" : ""}`],
    ["started", report.startedAt],
    ["took", `${duration(report.tookMs)} (${report.mode} run)`],
  ];
}

function engineText({ postgresql, timescaledb, edition, commitWaitMs }: EngineVersions): string {
  const extension = timescaledb === undefined ? "no TimescaleDB" : `TimescaleDB ${timescaledb}`;
  const disk =
    commitWaitMs === undefined ? "" : `; a commit waits ${commitWaitMs.toFixed(2)} ms for the disk`;
  return `${extension}${edition === undefined ? "" : `, ${edition} edition`}, PostgreSQL ${postgresql}${disk}`;
}
