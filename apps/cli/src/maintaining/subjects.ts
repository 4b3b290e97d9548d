import {
  continueErasures,
  type Erasure,
  eraseSubject,
  holdSubject,
  ownKeyFile,
  releaseSubject,
  rewrapKeys,
  subjectStatus,
} from "@synap/database/internal";
import { readPersonalDataKeys } from "@synap/service";
import { commandOf } from "@synap/service/called-as";
import { UsageError } from "@synap/service/exit-codes";
import { counted } from "@synap/types/internal";
import { Command, Option } from "commander";
import { helpText } from "../terminal/help-text.ts";
import { jsonText, plain } from "../terminal/table.ts";
import { operator, textOption } from "./actor-options.ts";
import { exportCommand } from "./export-subject.ts";
import {
  isServer,
  ledgerOf,
  onSubjects,
  type StoreOptions,
  storeOption,
  subjectArgument,
} from "./subject-store.ts";
import { verifySubjectCommand } from "./verify-subject.ts";

interface Decision extends StoreOptions {
  readonly reason: string;
  readonly by: string;
}

interface EraseOptions extends StoreOptions {
  readonly reason?: string;
  readonly by: string;
  readonly continue: boolean;
}

/** The command line of `subjects`. */
export function subjectsCommand(): Command {
  return new Command("subjects")
    .description(
      "Exports and erases the personal data of a subject, verifies that, puts it on hold, and rewraps the keys, in the database at DATABASE_URL or in a " +
        "data directory.",
    )
    .addCommand(eraseCommand())
    .addCommand(holdCommand())
    .addCommand(releaseCommand())
    .addCommand(showCommand())
    .addCommand(exportCommand())
    .addCommand(verifySubjectCommand())
    .addCommand(rewrapCommand())
    .addHelpText(
      "after",
      helpText({
        notes: [
          "The login must own the schema. With an embedded database, stop Synap first. After an erasure the workers build the read models " +
            "anew that may have the data; `status` warns until they are done.",
        ],
        environment: [
          ["DATABASE_URL", "the server; without it, the embedded database in the data directory"],
          ["SYNAP_ERASURE_LEDGER", "file of the erased subjects; the default is beside the key file"],
          ["SYNAP_PERSONAL_DATA_KEY_FILE, SYNAP_VAULT_URL", "what wraps the keys, as for the API"],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

function eraseCommand(): Command {
  return new Command("erase")
    .description("Destroys the key of a subject: its personal data can't be read again, by anybody.")
    .argument("[id]", "the subject", subjectArgument)
    .addOption(reasonOption("why, for the event that records it"))
    .addOption(byOption())
    .option("--continue", "do the rest of erasures that were interrupted", false)
    .addOption(storeOption())
    .addHelpText(
      "after",
      helpText({
        examples: [
          [commandOf("subjects", 'erase customer-7 --reason "Request 118"'), "erases the data of customer-7"],
          [commandOf("subjects", "erase --continue"), "does the rest"],
        ],
      }),
    )
    .action(async (subject: string | undefined, options: EraseOptions) => {
      const { data, reason, by } = options;
      if (options.continue === (subject !== undefined))
        throw new UsageError("Name a subject, or give --continue alone.");
      if (subject !== undefined && reason === undefined)
        throw new UsageError("An erasure needs a reason: --reason TEXT.");
      await onSubjects(data, async (database) => {
        const ledger = ledgerOf(data);
        if (subject === undefined || reason === undefined) {
          const finished = await continueErasures(database, { ledger });
          if (finished.length === 0) console.log("No erasure was interrupted: there is nothing to continue.");
          for (const erasure of finished) describe(erasure);
        } else describe(await eraseSubject(database, { subject, reason, by }, { ledger }));
      });
    });
}

function holdCommand(): Command {
  return new Command("hold")
    .description("Puts the data of a subject on hold: it can't be erased until it is released.")
    .argument("<id>", "the subject", subjectArgument)
    .addOption(reasonOption("why it must be kept").makeOptionMandatory())
    .addOption(byOption())
    .addOption(storeOption())
    .action(async (subject: string, { data, reason, by }: Decision) => {
      await onSubjects(data, async (database) => {
        await holdSubject(database, { subject, reason, by }, ledgerOf(data));
        console.log(plain(`The data of ${subject} is on hold.`));
      });
    });
}

function releaseCommand(): Command {
  return new Command("release")
    .description("Ends the hold of a subject.")
    .argument("<id>", "the subject", subjectArgument)
    .addOption(storeOption())
    .action(async (subject: string, { data }: StoreOptions) => {
      await onSubjects(data, async (database) => {
        await releaseSubject(database, subject);
        console.log(plain(`The data of ${subject} is no longer on hold.`));
      });
    });
}

function showCommand(): Command {
  return new Command("show")
    .description("Prints, as JSON, whether a subject has a key, is on hold, or was erased.")
    .argument("<id>", "the subject", subjectArgument)
    .addOption(storeOption())
    .action(async (subject: string, { data }: StoreOptions) => {
      await onSubjects(data, async (database) => {
        // Who was erased and why is for the owner alone.
        const status = await database.asOwner((owner) => subjectStatus(owner, subject));
        console.log(jsonText(status));
      });
    });
}

function rewrapCommand(): Command {
  return new Command("rewrap")
    .description("Wraps every key with the newest wrapping key. Events stay as they are.")
    .addOption(storeOption())
    .action(async ({ data }: StoreOptions) => {
      await onSubjects(data, async (database) => {
        const keys =
          readPersonalDataKeys(process.env) ?? (isServer() ? undefined : (await ownKeyFile(data)).keys);
        if (keys === undefined)
          throw new UsageError("Set SYNAP_PERSONAL_DATA_KEY_FILE or SYNAP_VAULT_URL, as for the API.");
        console.log(`${counted(await rewrapKeys(database, keys), "key was", "keys were")} wrapped anew.`);
      });
    });
}

function describe({ id, subject, position }: Erasure): void {
  console.log(plain(`The key of ${subject} is destroyed. Erasure ${id}, recorded at position ${position}.`));
  console.log("The workers build the read models anew that may have its data: see `status`.");
}

function reasonOption(description: string): Option {
  return new Option("--reason <text>", description).argParser(textOption(1_000));
}

function byOption(): Option {
  return new Option("--by <actor>", "who decides it")
    .argParser(textOption(134))
    .default(`user:${operator()}`);
}
