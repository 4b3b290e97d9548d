import { SYNAP_COMMAND } from "@synap/service/called-as";
import { counted } from "@synap/types/internal";
import { Argument, Command } from "commander";
import { momentOption, wholeOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { jsonText } from "../terminal/table.ts";
import { type CommonOptions, connect } from "./connection.ts";
import {
  describeDifferences,
  describeProjection,
  describeProjections,
  type TableDifference,
} from "./describe-projection.ts";
import { beginRebuild, compareBuilds, watchRebuild } from "./rebuild-projection.ts";

interface BoundsOptions extends CommonOptions {
  readonly maxLag?: number;
  readonly maxDifference?: number;
  readonly compare: boolean;
}
interface RebuildOptions extends BoundsOptions {
  readonly version?: number;
  readonly wait: boolean;
  readonly cutover: boolean;
}

const rows = wholeOption(0, Number.MAX_SAFE_INTEGER);

/** `synap projections ...` */
export const projectionsCommand = (): Command =>
  new Command("projections")
    .description("Shows, pauses and rebuilds projections (read models).")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(asOfCommand())
    .addCommand(feedCommand("pause", "Pauses a projection. Its rows stay readable and unchanged."))
    .addCommand(feedCommand("resume", "Resumes a projection from its checkpoint."))
    .addCommand(rebuildCommand())
    .addCommand(compareCommand())
    .addCommand(cutoverCommand())
    .addCommand(rollbackCommand())
    .addCommand(dropCommand())
    .addHelpText(
      "after",
      helpText({
        notes: [
          "A rebuild fills new tables from the first event on, beside the live ones, which stay in use. When it has caught " +
            "up, its rows are compared with the live ones, and cutover lets it take their place at once. The old build is " +
            "kept up to date, so that rollback can go back at once too.",
        ],
      }),
    );

function listCommand(): Command {
  return new Command("list")
    .description("Lists projections and their builds.")
    .addHelpText(
      "after",
      helpText({
        notes: [
          "LAG is how many stored events the build has still to look at, BEHIND how long the first of them has been waiting.",
        ],
        examples: [
          [`${SYNAP_COMMAND} projections list`],
          [`${SYNAP_COMMAND} projections list --json | jq '.projections[] | select(.state != "running")'`],
        ],
      }),
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const projections = await connect(options).admin.projections();
      if (options.json) return console.log(jsonText({ projections }, 2));
      console.log(projections.length === 0 ? "No projections." : describeProjections(projections));
    });
}

function showCommand(): Command {
  return new Command("show")
    .description("Shows one projection and all its builds.")
    .argument("<name>", "the projection's name")
    .addHelpText("after", helpText({ examples: [[`${SYNAP_COMMAND} projections show open-loops`]] }))
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const found = await connect(options).admin.projection(name);
      console.log(options.json ? jsonText(found, 2) : describeProjection(found));
    });
}

interface AsOfOptions extends CommonOptions {
  readonly limit: number;
}

function asOfCommand(): Command {
  return new Command("as-of")
    .description("Shows the rows of a projection as they were.")
    .argument("<name>", "the projection's name")
    .argument("<when>", "a position of the log, or a moment by which the events were stored", whenArgument)
    .option("--limit <rows>", "maximum number of rows of each table", wholeOption(1, 1_000), 100)
    .addHelpText(
      "after",
      helpText({
        notes: ["It folds all events up to then, in the API: at most 100,000 of the log."],
        examples: [
          [`${SYNAP_COMMAND} projections as-of open-loops 2026-01-31T09:30:00Z`],
          [`${SYNAP_COMMAND} projections as-of open-loops 20480 --json`],
        ],
      }),
    )
    .action(
      async (name: string, when: ReturnType<typeof whenArgument>, _options: unknown, command: Command) => {
        const { limit, ...options } = command.optsWithGlobals<AsOfOptions>();
        const found = await connect(options).admin.projectionAsOf(name, { ...when, limit });
        if (options.json) return console.log(jsonText(found, 2));
        for (const { table, rows, isCut } of found.tables) {
          console.log(
            `${table}: ${counted(rows.length, "row")}${isCut ? ", and more" : ""}\n${jsonText(rows, 2)}`,
          );
        }
        if (found.failed.length > 0) console.error(`Not applied: ${jsonText(found.failed, 2)}`);
      },
    );
}

function whenArgument(value: string): { position: number } | { moment: string } {
  const isPosition = /^\d{1,15}$/.test(value);
  return isPosition ? { position: Number(value) } : { moment: momentOption(value) };
}

function feedCommand(change: "pause" | "resume", description: string): Command {
  return new Command(change)
    .description(description)
    .argument("<name>", "the projection's name")
    .addHelpText("after", helpText({ examples: [[`${SYNAP_COMMAND} projections ${change} open-loops`]] }))
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const { admin } = connect(options);
      const build = await (change === "pause" ? admin.pauseProjection(name) : admin.resumeProjection(name));
      console.log(options.json ? jsonText(build, 2) : `${name} is ${build.state}.`);
    });
}

function rebuildCommand(): Command {
  return withBounds(new Command("rebuild"))
    .description("Rebuilds a projection beside the live build, shows the progress, then compares the rows.")
    .argument("<name>", "the projection's name")
    .option("--version <n>", "version to build (default: the newest)", wholeOption(1, 1_000_000))
    .option("--no-wait", "start the rebuild and return; the workers finish it")
    .option("--cutover", "make it the live build at the end, if the difference is within bounds", false)
    .addHelpText(
      "after",
      helpText({
        notes: ["Ctrl-C stops watching, not the build; run the same command to watch again."],
        examples: [
          [`${SYNAP_COMMAND} projections rebuild open-loops`],
          [`${SYNAP_COMMAND} projections rebuild open-loops --cutover --max-difference 10`],
        ],
      }),
    )
    .action(async (name: string, _options, command: Command) => {
      await rebuild(name, command.optsWithGlobals<RebuildOptions>());
    });
}

async function rebuild(name: string, options: RebuildOptions): Promise<void> {
  const { version, json } = options;
  const api = connect(options);
  const { build, isNew } = await beginRebuild(api, name, version);
  if (!options.wait) {
    const begun = `Building version ${build.version} of ${name}. Watch it: ${SYNAP_COMMAND} projections rebuild ${name}`;
    return console.log(json ? jsonText(build, 2) : begun);
  }
  console.error(`${isNew ? "Building" : "Already building"} version ${build.version} of ${name}.`);
  await watchRebuild(api, name);
  if (options.cutover) return takeOver(name, options);
  const compared = await compareBuilds(api, name);
  if (json) return console.log(jsonText(compared, 2));
  sayDifferences(compared.differences);
  console.log(
    `\nThe live build is unchanged. Make the new one live: ${SYNAP_COMMAND} projections cutover ${name}`,
  );
}

function compareCommand(): Command {
  return new Command("compare")
    .description("Counts the rows in which the new build differs from the live one.")
    .argument("<name>", "the projection's name")
    .addHelpText("after", helpText({ examples: [[`${SYNAP_COMMAND} projections compare open-loops`]] }))
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const compared = await compareBuilds(connect(options), name);
      if (options.json) return console.log(jsonText(compared, 2));
      sayDifferences(compared.differences);
    });
}

function cutoverCommand(): Command {
  return withBounds(new Command("cutover"))
    .description("Makes the new build the live one, if its lag and its difference are within bounds.")
    .argument("<name>", "the projection's name")
    .addHelpText(
      "after",
      helpText({
        examples: [
          [`${SYNAP_COMMAND} projections cutover open-loops`],
          [`${SYNAP_COMMAND} projections cutover open-loops --max-difference 120`],
        ],
      }),
    )
    .action(async (name: string, _options, command: Command) => {
      await takeOver(name, command.optsWithGlobals<BoundsOptions>());
    });
}

async function takeOver(name: string, options: BoundsOptions): Promise<void> {
  const { maxLag, maxDifference, compare, json } = options;
  const report = await connect(options).admin.cutOverProjection(name, {
    compare,
    ...(maxLag !== undefined && { maxLagEvents: maxLag }),
    ...(maxDifference !== undefined && { maxDifference }),
  });
  if (json) return console.log(jsonText(report, 2));
  if (compare) sayDifferences(report.differences);
  console.log(
    `Version ${report.liveVersion} of ${name} is live. Go back: ${SYNAP_COMMAND} projections rollback ${name}`,
  );
}

function rollbackCommand(): Command {
  return new Command("rollback")
    .description("Makes the previous build the live one again.")
    .argument("<name>", "the projection's name")
    .addHelpText("after", helpText({ examples: [[`${SYNAP_COMMAND} projections rollback open-loops`]] }))
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const { admin } = connect(options);
      const { builds } = await admin.projection(name);
      const live = builds.find(({ role }) => role === "live");
      const report = await admin.rollbackProjection(name, live && { from: live.build });
      console.log(
        options.json ? jsonText(report, 2) : `Version ${report.liveVersion} of ${name} is live again.`,
      );
    });
}

function dropCommand(): Command {
  return new Command("drop")
    .description("Removes the new or the previous build with its tables, never the live one.")
    .argument("<name>", "the projection's name")
    .addArgument(new Argument("<build>", "which build").choices(["building", "previous"]))
    .addHelpText("after", helpText({ examples: [[`${SYNAP_COMMAND} projections drop open-loops previous`]] }))
    .action(async (name: string, build: "building" | "previous", _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const dropped = await connect(options).admin.dropProjectionBuild(name, build);
      console.log(options.json ? jsonText(dropped, 2) : `The ${build} build of ${name} is gone.`);
    });
}

function withBounds(command: Command): Command {
  return command
    .option("--max-lag <events>", "maximum number of events that it may be behind (default: 1000)", rows)
    .option("--max-difference <rows>", "maximum number of rows that may differ (default: 0)", rows)
    .option("--no-compare", "cut over without comparing rows");
}

function sayDifferences(differences: readonly TableDifference[]): void {
  const isSame = differences.every((each) => each.onlyInOld + each.onlyInNew + each.different === 0);
  console.log(isSame ? "All rows are the same in both builds." : describeDifferences(differences));
}
