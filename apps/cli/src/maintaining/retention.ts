import {
  applyRetention,
  type ExpiredEvents,
  endRetentionPolicy,
  NoRetentionPolicyError,
  PurgeUnfinishedError,
  planRetention,
  retentionPolicies,
  setRetentionPolicy,
  UnknownRetainedTypeError,
} from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { count, counted } from "@synap/types/internal";
import { Command, InvalidArgumentError, Option } from "commander";
import { withMigratedDatabase } from "../data-directory/with-migrated-database.ts";
import { dataOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import { formatTable, jsonText, plain } from "../terminal/table.ts";
import { operator, textOption } from "./actor-options.ts";
import { warnOfPolicies } from "./warn-of-policies.ts";

/** Largest length of a reason and of an actor, in characters. The event of a purge has the type and the days in its reason as well. */
const MAX_REASON = 800;
const MAX_ACTOR = 134;
const MAX_DAYS = 36_500;

interface StoreOptions {
  readonly data: string;
}

interface ActorOptions extends StoreOptions {
  readonly by: string;
}

/** The command line of `retention`. */
export function retentionCommand(): Command {
  return new Command("retention")
    .description(
      "Keeps the events of some types for a time only. A type without a policy keeps all of its events. Events are removed by `run` alone, as purges: " +
        "run it once a day.",
    )
    .addCommand(setCommand())
    .addCommand(removeCommand())
    .addCommand(listCommand())
    .addCommand(runCommand())
    .addHelpText(
      "after",
      helpText({
        notes: ["The login must own the schema. With an embedded database, stop Synap first."],
        environment: [
          ["DATABASE_URL", "a server, which may be in use meanwhile; without it, the embedded database"],
          [
            "DATABASE_DIRECT_URL",
            "the same database past a connection pooler, if DATABASE_URL leads through one",
          ],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

function setCommand(): Command {
  return new Command("set")
    .description(
      "Sets how long the events of a type are kept, in place of what was set before. Removes none.",
    )
    .argument("<type>", "the event type")
    .addOption(
      new Option("--keep <days>", "days after the timestamp of an event, such as 90d")
        .argParser(daysOption)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--reason <text>", "why, for the events that record what is removed")
        .argParser(textOption(MAX_REASON))
        .makeOptionMandatory(),
    )
    .option("--forget", "also remove what read models, snapshots and handlers have made of the events", false)
    .addOption(byOption("who sets it"))
    .addOption(storeOption())
    .addHelpText(
      "after",
      helpText({
        examples: [[commandOf("retention", 'set pump.measured --keep 90d --reason "Telemetry"')]],
      }),
    )
    .action(
      async (type: string, options: ActorOptions & { keep: number; reason: string; forget: boolean }) => {
        const { keep: keepDays, reason, forget: forgets, by } = options;
        await onPolicies(options, async (database) => {
          await setRetentionPolicy(database, { type, keepDays, forgets, reason, by });
          console.log(plain(`The events of ${type} are kept for ${counted(keepDays, "day")}.`));
        });
      },
    );
}

function removeCommand(): Command {
  return new Command("remove")
    .description("Ends the policy of a type: its events are kept.")
    .argument("<type>", "the event type")
    .addOption(byOption("who ends it"))
    .addOption(storeOption())
    .action(async (type: string, options: ActorOptions) => {
      await onPolicies(options, async (database) => {
        await endRetentionPolicy(database, { type, by: options.by });
        console.log(plain(`The events of ${type} are kept.`));
      });
    });
}

function listCommand(): Command {
  return new Command("list")
    .description("Prints the policies.")
    .option("--json", "print JSON", false)
    .addOption(storeOption())
    .action(async (options: StoreOptions & { json: boolean }) => {
      await onPolicies(options, async (database) => {
        const policies = await database.asOwner(retentionPolicies);
        if (options.json) console.log(jsonText(policies, 2));
        else if (policies.length === 0) console.log("No type has a policy: all events are kept.");
        else
          console.log(
            formatTable(
              [
                { title: "type" },
                { title: "days", align: "right" },
                { title: "forgets" },
                { title: "set at" },
                { title: "by" },
                { title: "reason" },
              ],
              policies.map(({ type, keepDays, forgets, setAt, by, reason }) => [
                type,
                count(keepDays),
                forgets ? "yes" : "no",
                setAt,
                by,
                reason,
              ]),
            ),
          );
      });
    });
}

function runCommand(): Command {
  return new Command("run")
    .description("Removes the events that are older than the policy of their type, or counts them.")
    .option("--dry-run", "only count them", false)
    .addOption(byOption("who removes them"))
    .addOption(storeOption())
    .addHelpText(
      "after",
      helpText({
        notes: [
          "Events stay while a subject of theirs is on hold, a handler has failed at them, or they correct or retract an event that is stored. A run that was " +
            "interrupted is finished by the next.",
        ],
        examples: [[commandOf("retention", "run --dry-run")], [commandOf("retention", "run")]],
      }),
    )
    .action(async (options: ActorOptions & { dryRun: boolean }) => {
      await onPolicies(options, async (database) => {
        await warnOfPolicies(database);
        if (options.dryRun) return describePlans(await planRetention(database));
        const line = new ProgressLine();
        try {
          const onProgress = (type: string, removed: number) =>
            line.show(undefined, `${counted(removed, "event")} of ${type} removed`);
          const removed = await applyRetention(database, { by: options.by, onProgress });
          line.end();
          if (removed.length === 0) console.log("No event is older than the policy of its type.");
          for (const { type, events, id, position } of removed) {
            const what = `${counted(events, "event")} of ${type} removed.`;
            console.log(plain(`${what} Purge ${id}, recorded at position ${position}.`));
          }
        } finally {
          line.end();
        }
      });
    });
}

function describePlans(plans: readonly ExpiredEvents[]): void {
  if (plans.length === 0) {
    console.log("No type has a policy: all events are kept.");
    return;
  }
  console.log(
    formatTable(
      [{ title: "type" }, { title: "before" }, { title: "events", align: "right" }],
      plans.map(({ type, before, events }) => [type, before, count(events)]),
    ),
  );
  console.log("Nothing was changed.");
}

async function onPolicies(
  { data }: StoreOptions,
  work: Parameters<typeof withMigratedDatabase>[2],
): Promise<void> {
  await withMigratedDatabase(data, "retention policies", (database) =>
    work(database).catch((error: unknown) => {
      if (error instanceof PurgeUnfinishedError)
        throw new ExitError(EXIT.failed, `${error.message} ${commandOf("purge", "--continue")}`, {
          cause: error,
        });
      if (error instanceof UnknownRetainedTypeError || error instanceof NoRetentionPolicyError)
        throw new ExitError(EXIT.failed, error.message, { cause: error });
      throw error;
    }),
  );
}

function byOption(what: string): Option {
  return new Option("--by <actor>", what).argParser(textOption(MAX_ACTOR)).default(`user:${operator()}`);
}

function storeOption(): Option {
  return dataOption("the data directory, without DATABASE_URL; stop Synap first");
}

function daysOption(value: string): number {
  const days = Number(/^(\d{1,5})d$/.exec(value)?.[1]);
  if (!(days >= 1 && days <= MAX_DAYS))
    throw new InvalidArgumentError(`It must be a number of days from 1d to ${MAX_DAYS}d.`);
  return days;
}
