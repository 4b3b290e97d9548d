import { once } from "node:events";
import { createSubjectKeys, exportSubject } from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { counted } from "@synap/types/internal";
import { Command } from "commander";
import { helpText } from "../terminal/help-text.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import {
  keysOf,
  ledgerOf,
  onSubjects,
  type StoreOptions,
  storeOption,
  subjectArgument,
} from "./subject-store.ts";

/** The command line of `subjects export`. */
export function exportCommand(): Command {
  return new Command("export")
    .description(
      "Prints the events about a subject, a line of JSON for each: those with its personal data, which is readable here, and those of which " +
        "it is the userId. Personal data of others is masked.",
    )
    .argument("<id>", "the subject", subjectArgument)
    .addOption(storeOption())
    .addHelpText(
      "after",
      helpText({
        notes: ["What is printed is not sealed: keep it where nobody else can read it."],
        examples: [[commandOf("subjects", "export customer-7 > customer-7.ndjson")]],
      }),
    )
    .action(printEvents);
}

async function printEvents(subject: string, { data }: StoreOptions): Promise<void> {
  await onSubjects(data, async (database) => {
    const keys = createSubjectKeys({ database, provider: keysOf(data), ledger: ledgerOf(data) });
    const line = new ProgressLine();
    let exported = 0;
    try {
      for await (const { events, position, last } of exportSubject(database.reads, keys, subject)) {
        for (const event of events) await print(JSON.stringify(event));
        exported += events.length;
        const found = counted(exported, "event");
        line.show(position / Math.max(last, 1), `${found} found up to position ${position} of ${last}`);
      }
      line.say(`${counted(exported, "event was", "events were")} exported.`);
    } finally {
      line.end();
    }
  });
}

/** Waits until the reader of a pipe has read the output, so that a slow reader slows the export down. */
async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain");
}
