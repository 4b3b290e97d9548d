#!/usr/bin/env node
// npx -y pnpm@12 synap envelope: prints the events of envelopes that were copied from Inngest's dashboard.
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { readEnvelope, summariseEvents } from "@synap/handlers/internal";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import type { SynapEvent } from "@synap/types";
import { counted, readProperty } from "@synap/types/internal";
import { Command } from "commander";
import { CliError } from "./operating/cli-error.ts";
import { EXIT } from "./operating/exit-codes.ts";
import { endOnClosedPipe, printFailure } from "./terminal/command.ts";
import { jsonText, plain } from "./terminal/table.ts";
import { explainUsageErrors } from "./terminal/usage-errors.ts";

await explainUsageErrors(new Command("envelope"), `${SYNAP_COMMAND} envelope`)
  .description(
    "Prints the events of an envelope as NDJSON, one a line, and a summary on standard error. Inngest's dashboard\n" +
      "shows the events of an envelope compressed when they have more than 8 KiB.",
  )
  .argument("<file>", 'JSON: an Inngest event, its data, or an array of these; "-" for standard input')
  .addHelpText(
    "after",
    `
A dead letter whose code begins with "envelope-" contains an envelope too. No API is needed.

Examples:
  ${SYNAP_COMMAND} envelope event.json
  ${SYNAP_COMMAND} envelope - < event.json | grep note.creation.requested
  ${SYNAP_COMMAND} dead-letters show 17 --json | ${SYNAP_COMMAND} envelope -

Exit codes: 0 done, 1 not readable, or the command was not understood.`,
  )
  .action((file: string) => printEnvelopes(file).catch(fail))
  .parseAsync();

/** Prints the events of every envelope in a file. @throws CliError at the first one that is unreadable */
async function printEnvelopes(file: string): Promise<void> {
  endOnClosedPipe();
  const content = await readJson(file);
  const envelopes = Array.isArray(content) ? content : [content];
  if (envelopes.length === 0) throw new CliError(EXIT.refused, "The array is empty: it has no envelope.");
  for (const [place, each] of envelopes.entries()) {
    const data = dataOf(each);
    const reading = await readEnvelope(data);
    if (!reading.ok) {
      const which = Array.isArray(content) ? `Element ${place} of the array` : "This";
      throw new CliError(EXIT.refused, `${which} is not a readable envelope: ${plain(reading.reason)}.`);
    }
    for (const event of reading.events) console.log(jsonText(event));
    console.error(summaryOf(reading.events, data));
  }
}

async function readJson(file: string): Promise<unknown> {
  const name = file === "-" ? "Standard input" : file;
  let bytes: Buffer;
  try {
    bytes = file === "-" ? await buffer(process.stdin) : await readFile(file);
  } catch (cause) {
    throw new CliError(EXIT.refused, `${name} can't be read: ${reasonOf(cause)}.`, { cause });
  }
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new CliError(
      EXIT.refused,
      `${name} is not JSON: ${plain(reasonOf(cause))}. Copy the whole event, from { to }.`,
      { cause },
    );
  }
}

/** The data of an Inngest event, or the content of a dead letter; any other value is the data itself. */
function dataOf(value: unknown): unknown {
  if (readProperty(value, "events") !== undefined || readProperty(value, "gzip") !== undefined) return value;
  return readProperty(value, "data") ?? readProperty(value, "event") ?? value;
}

function summaryOf(events: readonly SynapEvent[], data: unknown): string {
  const { count, types, from, to } = summariseEvents(events);
  const gzip = readProperty(data, "gzip");
  const form = typeof gzip === "string" ? `compressed, ${counted(gzip.length, "byte")}` : "not compressed";
  const numbers = Object.entries(types).map(([type, number]) => `${number} ${plain(type)}`);
  return `${counted(count, "event")} (${form}) from ${from} to ${to}: ${numbers.join(", ")}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fail(error: unknown): void {
  printFailure(error);
  process.exitCode = EXIT.refused;
}
