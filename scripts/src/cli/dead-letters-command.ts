import { Command, InvalidArgumentError, Option } from "commander";
import { age } from "../terminal/age.ts";
import { wholeOption } from "../terminal/command.ts";
import { count } from "../terminal/numbers.ts";
import { formatFields, formatTable, jsonText, plain } from "../terminal/table.ts";
import {
  type DeadLetter,
  type DeadLetterOutcome,
  deadLetter,
  deadLetterOutcome,
  deadLetterPage,
} from "./answers.ts";
import type { CommandGroup } from "./command-group.ts";
import { type CommonOptions, connect } from "./connection.ts";
import { EXIT } from "./exit-codes.ts";
import { streamOption } from "./stream-option.ts";

interface ListOptions extends CommonOptions {
  readonly handler?: string;
  readonly status: "open" | "retried" | "skipped" | "all";
  readonly stream?: { readonly aggregateType: string; readonly aggregateId: string };
  readonly limit: number;
  readonly cursor?: string;
}

interface SkipOptions extends CommonOptions {
  readonly reason: string;
}

/** `synap dead-letters ...` */
export const deadLettersCommand: CommandGroup = (endWith) =>
  new Command("dead-letters")
    .description("Events that a handler could not deal with, and what to do about them.")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(retryCommand((code) => endWith(code)))
    .addCommand(skipCommand())
    .addHelpText(
      "after",
      `
A handler that fails on an event sets it aside as a dead letter, and the later events of the same
stream wait behind it, for that handler alone. Mend the cause and retry, or skip the event for good:
either way those that waited follow, in order.`,
    );

function listCommand(): Command {
  return new Command("list")
    .description("Lists dead letters, the newest first.")
    .option("--handler <name>", "only those of this handler")
    .addOption(
      new Option("--status <status>", "only those in this state")
        .choices(["open", "retried", "skipped", "all"])
        .default("open"),
    )
    .option("--stream <type/id>", "only those of this stream", streamOption)
    .option("--limit <n>", "how many", wholeOption(1, 1000), 50)
    .option("--cursor <cursor>", "go on where an earlier list ended")
    .addHelpText(
      "after",
      `
WAITING is how many later events of the stream wait behind the letter.

Examples:
  npx pnpm@12 synap dead-letters list
  npx pnpm@12 synap dead-letters list --handler note-projector --status all
  npx pnpm@12 synap dead-letters list --stream note/42 --json`,
    )
    .action(async (_options, command: Command) => list(command.optsWithGlobals<ListOptions>()));
}

async function list(options: ListOptions): Promise<void> {
  const { handler, status, stream, limit, cursor, json } = options;
  const query = new URLSearchParams({
    limit: String(limit),
    ...(handler !== undefined && { handler }),
    ...(status !== "all" && { status }),
    ...stream,
    ...(cursor !== undefined && { cursor }),
  });
  const page = await connect(options).getAdmin(`/dead-letters?${query}`, deadLetterPage);
  if (json) return console.log(jsonText(page, 2));
  if (page.deadLetters.length === 0) {
    return console.log(status === "all" ? "No dead letters." : `No dead letters that are ${status}.`);
  }
  const rows = page.deadLetters.map((letter) => [
    String(letter.id),
    letter.status,
    letter.handler,
    describeStream(letter) ?? "",
    letter.eventType ?? "",
    letter.code,
    count(letter.parked),
    age(letter.lastFailedAt),
  ]);
  const columns = ["ID", "STATUS", "HANDLER", "STREAM", "EVENT", "CODE", "WAITING", "FAILED"].map(
    (title) => ({
      title,
      align: title === "ID" || title === "WAITING" ? ("right" as const) : ("left" as const),
    }),
  );
  console.log(formatTable(columns, rows));
  if (page.nextCursor !== undefined) console.error(`There are more: --cursor ${page.nextCursor}`);
}

function showCommand(): Command {
  return new Command("show")
    .description("Shows one dead letter: what failed, why, and the whole event.")
    .argument("<id>", "its number in the list", letterId)
    .addHelpText("after", "\nExample:\n  npx pnpm@12 synap dead-letters show 17")
    .action(async (id: number, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const letter = await connect(options).getAdmin(`/dead-letters/${id}`, deadLetter);
      console.log(options.json ? jsonText(letter, 2) : describeLetter(letter));
    });
}

function describeLetter(letter: DeadLetter): string {
  const { resolvedAt, resolvedBy = "somebody", resolution } = letter;
  const decided =
    resolvedAt === undefined
      ? undefined
      : `${letter.status} at ${resolvedAt} by ${plain(resolvedBy)}${resolution === undefined ? "" : `: ${plain(resolution)}`}`;
  return formatFields([
    ["dead letter", `${letter.id}, ${letter.status}`],
    ["handler", letter.handler],
    ["stream", describeStream(letter)],
    ["position", letter.position === undefined ? "never stored" : String(letter.position)],
    ["failed", `${count(letter.attempts)} times, first ${letter.firstFailedAt}, last ${letter.lastFailedAt}`],
    ["code", letter.code],
    ["reason", plain(letter.reason)],
    ["waiting", `${count(letter.parked)} later events of the stream`],
    ["decided", decided],
    ["event", jsonText(letter.event, 2)],
  ]);
}

function retryCommand(endWith: (code: typeof EXIT.refused) => void): Command {
  return new Command("retry")
    .description("Has the handler deal with the event again, and then with those that waited behind it.")
    .argument("<id...>", "numbers in the list", letterIds)
    .addHelpText(
      "after",
      `
A letter that fails again stays open, and the command ends with 1.

Example:
  npx pnpm@12 synap dead-letters retry 17 18`,
    )
    .action(async (ids: readonly number[], _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const outcomes = await resolveAll(ids, options, (id) =>
        connect(options).postAdmin(`/dead-letters/${id}/retry`, deadLetterOutcome),
      );
      if (outcomes.some(({ failure }) => failure !== undefined)) endWith(EXIT.refused);
    });
}

function skipCommand(): Command {
  return new Command("skip")
    .description("Leaves the event out for good; those that waited behind it follow.")
    .argument("<id...>", "numbers in the list", letterIds)
    .requiredOption("--reason <text>", "why; kept with the letter")
    .addHelpText(
      "after",
      `
Example:
  npx pnpm@12 synap dead-letters skip 17 --reason "sent by a test, has no customer"`,
    )
    .action(async (ids: readonly number[], _options, command: Command) => {
      const options = command.optsWithGlobals<SkipOptions>();
      const { reason } = options;
      await resolveAll(ids, options, (id) =>
        connect(options).postAdmin(`/dead-letters/${id}/skip`, deadLetterOutcome, { reason }),
      );
    });
}

/** One after the other, saying what came of each as soon as it is known. */
async function resolveAll(
  ids: readonly number[],
  { json }: CommonOptions,
  resolve: (id: number) => Promise<DeadLetterOutcome>,
): Promise<DeadLetterOutcome[]> {
  const outcomes: DeadLetterOutcome[] = [];
  for (const id of ids) {
    const outcome = await resolve(id);
    outcomes.push(outcome);
    console.log(json ? jsonText(outcome) : describeOutcome(outcome));
  }
  return outcomes;
}

function describeOutcome({ id, status, failure, released, parked }: DeadLetterOutcome): string {
  if (failure !== undefined) {
    return `Dead letter ${id} failed again (${failure.code}): ${plain(failure.reason)}\n${count(parked)} events still wait behind it.`;
  }
  const followed = released === 0 ? "" : ` ${count(released)} events that waited behind it followed.`;
  const waiting = parked === 0 ? "" : ` ${count(parked)} still wait: synap dead-letters list.`;
  return `Dead letter ${id} is ${status}.${followed}${waiting}`;
}

function describeStream({ stream }: DeadLetter): string | undefined {
  return stream === undefined ? undefined : `${stream.aggregateType}/${stream.aggregateId}`;
}

function letterId(value: string): number {
  if (!/^[1-9]\d{0,14}$/.test(value))
    throw new InvalidArgumentError("It must be the number of a dead letter.");
  return Number(value);
}

function letterIds(value: string, previous: readonly number[] | undefined): readonly number[] {
  return [...(previous ?? []), letterId(value)];
}
