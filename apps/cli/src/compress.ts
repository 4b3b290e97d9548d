#!/usr/bin/env node
// npx -y pnpm@12 compress: compresses old events, on the server at DATABASE_URL or in a data directory.
import { openDatabase } from "@synap/database";
import { type CompressedChunk, compressEvents } from "@synap/database/internal";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import { Command } from "commander";
import { RELEASE } from "./all-in-one/run-synap.ts";
import { openDataDirectory } from "./data-directory/open-data-directory.ts";
import { printFailure, warnOfUnknownSettings, wholeOption } from "./terminal/command.ts";
import { explainUsageErrors } from "./terminal/usage-errors.ts";

const DAY_MS = 86_400_000;
const environment = process.env;

await explainUsageErrors(new Command("compress"), `${SYNAP_COMMAND} compress`)
  .description(
    "Compresses the chunks of events that are older than some days, each in its own transaction. They stay readable\n" +
      "and immutable, and late events can still be stored. Needs the Community edition of TimescaleDB, which the\n" +
      "embedded database has. Run it once a day, for example; it compresses only what is new.",
  )
  .option(
    "--older-than <days>",
    "days that stay uncompressed; live events may arrive for seven",
    wholeOption(0, 36_500),
    8,
  )
  .option(
    "--data <dir>",
    "data directory, without DATABASE_URL; stop Synap first",
    environment["SYNAP_DATA_DIR"] || ".synap",
  )
  .addHelpText(
    "after",
    `
Environment: DATABASE_URL (a server, which may be in use meanwhile; the login must own the schema), SYNAP_DATA_DIR.

Examples:
  ${SYNAP_COMMAND} compress
  DATABASE_URL=postgres://... ${SYNAP_COMMAND} compress --older-than 30`,
  )
  .action((options: { olderThan: number; data: string }) => compress(options).catch(fail))
  .parseAsync();

async function compress(options: { olderThan: number; data: string }): Promise<void> {
  warnOfUnknownSettings();
  const url = environment["DATABASE_URL"];
  if (url) return compressIn({ url }, options.olderThan);
  const directory = openDataDirectory({ path: options.data, release: RELEASE, urls: {} });
  try {
    await compressIn({ dataDirectory: directory.databasePath }, options.olderThan);
  } finally {
    directory.close();
  }
}

async function compressIn(where: Parameters<typeof openDatabase>[0], olderThan: number): Promise<void> {
  const database = await openDatabase(where);
  try {
    const before = new Date(Date.now() - olderThan * DAY_MS);
    const chunks = await compressEvents(database, { before, onCompressed: printChunk });
    if (chunks.length === 0) console.log(`Nothing to compress before ${before.toISOString()}.`);
  } finally {
    await database.close();
  }
}

function printChunk({ from, to, bytesBefore, bytesAfter }: CompressedChunk): void {
  const times = (bytesBefore / bytesAfter).toFixed(1);
  const sizes = `${mebibytes(bytesBefore)} to ${mebibytes(bytesAfter)} MiB, ${times} times smaller`;
  console.log(`${from.toISOString()} to ${to.toISOString()}: ${sizes}`);
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}

function fail(error: unknown): void {
  printFailure(error);
  process.exitCode = 1;
}
