import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { readEnvelope, summariseEvents } from "@synap/handlers/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import type { SynapEvent } from "@synap/types";
import { counted, readProperty } from "@synap/types/internal";
import { Command } from "commander";
import { endWithReader } from "./terminal/command.ts";
import { helpText } from "./terminal/help-text.ts";
import { jsonText, plain } from "./terminal/table.ts";

/** The command line of `envelope`. */
export function envelopeCommand(): Command {
  return new Command("envelope")
    .description(
      "Prints the events of an envelope as NDJSON, one a line, and a summary on standard error. Inngest's dashboard shows the " +
        "events of an envelope compressed when they have more than 8 KiB.",
    )
    .argument("<file>", 'JSON: an Inngest event, its data, or an array of these; "-" for standard input')
    .action(printEnvelopes)
    .addHelpText(
      "after",
      helpText({
        notes: [
          'A dead letter whose code begins with "envelope-" contains an envelope too. No API is needed.',
        ],
        examples: [
          [commandOf("envelope", "event.json")],
          [`${commandOf("envelope", "-")} < event.json | grep note.creation.requested`],
          [`${commandOf("dead-letters", "show 17 --json")} | ${commandOf("envelope", "-")}`],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

/** Prints the events of every envelope in a file. @throws ExitError at the first one that is unreadable */
async function printEnvelopes(file: string): Promise<void> {
  endWithReader();
  const content = await readJson(file);
  const envelopes = Array.isArray(content) ? content : [content];
  if (envelopes.length === 0) throw new ExitError(EXIT.failed, "The array is empty: it has no envelope.");
  for (const [index, each] of envelopes.entries()) {
    const data = dataOf(each);
    const reading = await readEnvelope(data);
    if (!reading.ok) {
      const which = Array.isArray(content) ? `Element ${index} of the array` : "This";
      throw new ExitError(EXIT.failed, `${which} is not a readable envelope: ${plain(reading.reason)}.`);
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
    throw new ExitError(EXIT.failed, `${name} can't be read: ${reasonOf(cause)}.`, { cause });
  }
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new ExitError(
      EXIT.failed,
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
