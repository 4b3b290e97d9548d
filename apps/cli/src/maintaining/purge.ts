import {
  continuePurge,
  NoPurgeToContinueError,
  type Purge,
  type PurgePlan,
  type PurgeSelection,
  PurgeUnfinishedError,
  planPurge,
  purgeEvents,
} from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError, UsageError } from "@synap/service/exit-codes";
import { count, counted } from "@synap/types/internal";
import { Command, Option } from "commander";
import { withMigratedDatabase } from "../data-directory/with-migrated-database.ts";
import { dataOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import { streamOption } from "../terminal/stream-option.ts";
import { formatTable } from "../terminal/table.ts";
import { operator, textOption } from "./actor-options.ts";

/** Largest length of a reason and of an actor, in characters. */
const MAX_REASON = 1_000;
const MAX_ACTOR = 134;

interface PurgeOptions {
  readonly data: string;
  readonly event?: readonly string[];
  readonly stream?: { readonly aggregateType: string; readonly aggregateId: string };
  readonly user?: string;
  readonly reason?: string;
  readonly by: string;
  readonly yes: boolean;
  readonly continue: boolean;
}

/** The command line of `purge`. */
export function purgeCommand(): Command {
  return new Command("purge")
    .description(
      "Removes events from the log, with the copies of them that Synap has: the exception for what a law or a court demands. Without " +
        "--yes it only counts them. The positions and the versions of the other events stay as they are.",
    )
    .option("--event <id>", "an event, by its id; may be given several times", collect)
    .addOption(new Option("--stream <type/id>", "all events of a stream").argParser(streamOption))
    .option("--user <id>", "all events with this userId")
    .addOption(
      new Option(
        "--reason <text>",
        "why, for the event that records it; must not have what is removed",
      ).argParser(textOption(MAX_REASON)),
    )
    .addOption(
      new Option("--by <actor>", "who removes them")
        .argParser(textOption(MAX_ACTOR))
        .default(`user:${operator()}`),
    )
    .option("--yes", "remove them; nothing brings them back", false)
    .option("--continue", "do the rest of a purge that was interrupted", false)
    .addOption(dataOption("the data directory, without DATABASE_URL; stop Synap first"))
    .action(purge)
    .addHelpText(
      "after",
      helpText({
        notes: [
          "The workers then build the read models anew that may have read the events; `status` warns until they are done. Outside of " +
            "Synap's reach are backups, replicas of the disk, what Inngest keeps of its runs, and the systems that received the events.",
        ],
        environment: [
          ["DATABASE_URL", "a server, which may be in use meanwhile; the login must own the schema"],
          [
            "DATABASE_DIRECT_URL",
            "the same database past a connection pooler, if DATABASE_URL leads through one",
          ],
        ],
        examples: [
          [commandOf("purge", "--user ada"), "counts her events"],
          [commandOf("purge", '--user ada --yes --reason "Request 118"'), "removes them"],
          [commandOf("purge", "--stream note/42"), "counts those of a stream"],
          [commandOf("purge", "--continue"), "does the rest"],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

async function purge(options: PurgeOptions): Promise<void> {
  const selection = options.continue ? undefined : selectionOf(options);
  if (options.yes && selection !== undefined && options.reason === undefined)
    throw new UsageError("A purge needs a reason: --reason TEXT.");
  await withMigratedDatabase(options.data, "purges", async (database) => {
    const line = new ProgressLine();
    const onProgress = (removed: number) => line.show(undefined, `${counted(removed, "event")} removed`);
    try {
      if (selection === undefined) return describePurge(await continuePurge(database, onProgress));
      if (!options.yes) return describePlan(await planPurge(database, selection));
      const { by, reason = "" } = options;
      const purged = await purgeEvents(database, { selection, by, reason, onProgress });
      line.end();
      if (purged === undefined) console.log("No stored event is selected: nothing was removed.");
      else describePurge(purged);
    } catch (error) {
      throw toExitError(error);
    } finally {
      line.end();
    }
  });
}

/** @throws UsageError unless exactly one kind of selection is given */
function selectionOf({ event, stream, user }: PurgeOptions): PurgeSelection {
  const given: PurgeSelection[] = [
    ...(event === undefined ? [] : [{ ids: event }]),
    ...(stream === undefined ? [] : [{ stream }]),
    ...(user === undefined ? [] : [{ userId: user }]),
  ];
  const [selection] = given;
  if (selection === undefined || given.length > 1)
    throw new UsageError("Select the events by one of --event, --stream and --user.");
  return selection;
}

function describePlan({ events, types, from, to }: PurgePlan): void {
  if (events === 0) {
    console.log("No stored event is selected.");
    return;
  }
  console.log(`${counted(events, "event")} from ${from} to ${to}:`);
  console.log(
    formatTable(
      [{ title: "type" }, { title: "events", align: "right" }],
      Object.entries(types).map(([type, many]) => [type, count(many)]),
    ),
  );
  console.log("Nothing was changed. --yes with a --reason removes them, and nothing brings them back.");
}

function describePurge({ id, events, position }: Purge): void {
  console.log(
    `${counted(events, "event was", "events were")} removed. Purge ${id}, recorded at position ${position}.`,
  );
  console.log("The workers build the read models anew that may have read them: see `status`.");
}

function toExitError(error: unknown): unknown {
  if (error instanceof PurgeUnfinishedError)
    return new ExitError(EXIT.failed, `${error.message} ${commandOf("purge", "--continue")}`, {
      cause: error,
    });
  if (error instanceof NoPurgeToContinueError)
    return new ExitError(EXIT.failed, error.message, { cause: error });
  if (error instanceof RangeError) return new UsageError(error.message);
  return error;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
