import { type CompressedChunk, compressEvents } from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { Command } from "commander";
import { withDatabase } from "../data-directory/with-database.ts";
import { dataOption, warnOfUnknownSettings, wholeOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { warnOfPolicies } from "./warn-of-policies.ts";

const DAY_MS = 86_400_000;

/** The command line of `compress`. */
export function compressCommand(): Command {
  return new Command("compress")
    .description(
      "Compresses the chunks of events that are older than some days, each in its own transaction. They stay readable and " +
        "immutable, and late events can still be stored. Needs the Community edition of TimescaleDB, which the embedded database " +
        "has. Run it once a day, for example; it compresses only what is new.",
    )
    .option(
      "--older-than <days>",
      "days that stay uncompressed; live events may arrive for seven",
      wholeOption(0, 36_500),
      8,
    )
    .addOption(dataOption("the data directory, without DATABASE_URL; stop Synap first"))
    .action(compress)
    .addHelpText(
      "after",
      helpText({
        environment: [
          ["DATABASE_URL", "a server, which may be in use meanwhile; the login must own the schema"],
          [
            "DATABASE_DIRECT_URL",
            "the same database past a connection pooler, if DATABASE_URL leads through one",
          ],
        ],
        examples: [
          [commandOf("compress")],
          [`DATABASE_URL=postgres://... ${commandOf("compress", "--older-than 30")}`],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

async function compress(options: { olderThan: number; data: string }): Promise<void> {
  warnOfUnknownSettings();
  await withDatabase(options.data, async (database) => {
    if (database.capabilities.edition === "community") await warnOfPolicies(database);
    const before = new Date(Date.now() - options.olderThan * DAY_MS);
    const chunks = await compressEvents(database, { before, onCompressed: printChunk });
    if (chunks.length === 0) console.log(`Nothing to compress before ${before.toISOString()}.`);
  });
}

function printChunk({ from, to, bytesBefore, bytesAfter }: CompressedChunk): void {
  const times = (bytesBefore / bytesAfter).toFixed(1);
  const sizes = `${mebibytes(bytesBefore)} to ${mebibytes(bytesAfter)} MiB, ${times} times smaller`;
  console.log(`${from.toISOString()} to ${to.toISOString()}: ${sizes}`);
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}
