import type { DeadLetterSummary, Resource } from "@synap/client";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { count, counted } from "@synap/types/internal";
import { Command, InvalidArgumentError, Option } from "commander";
import { age } from "../terminal/age.ts";
import { wholeOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { streamOption } from "../terminal/stream-option.ts";
import { formatFields, formatTable, jsonText, plain } from "../terminal/table.ts";
import { type CommonOptions, connect } from "./connection.ts";

type DeadLetterOutcome = Resource<"DeadLetterOutcome">;

interface ListOptions extends CommonOptions {
  readonly handler?: string;
  readonly status: "open" | "retried" | "skipped" | "all";
  readonly stream?: { readonly aggregateType: string; readonly aggregateId: string };
  readonly limit: number;
  readonly cursor?: string;
}

interface RetryOptions extends CommonOptions {
  readonly all: boolean;
  readonly handler?: string;
  readonly code?: string;
}

interface SkipOptions extends CommonOptions {
  readonly reason: string;
}

/** `synap dead-letters ...` */
export const deadLettersCommand = (): Command =>
  new Command("dead-letters")
    .description("Lists, retries and skips dead letters: events that a handler failed on.")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(retryCommand())
    .addCommand(skipCommand())
    .addHelpText(
      "after",
      helpText({
        notes: [
          "A handler that fails on an event sets it aside as a dead letter, and the later events of the same stream wait " +
            "behind it, for that handler alone. Remove the cause and retry, or skip the event for good: either way those " +
            "that waited follow, in order.",
          "Dead letters of ingest-events hold accepted events that are not stored. A retry stores them.",
        ],
      }),
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
    .option("--limit <n>", "maximum number of dead letters", wholeOption(1, 1000), 50)
    .option("--cursor <cursor>", "continue where an earlier list ended")
    .addHelpText(
      "after",
      helpText({
        notes: ["WAITING is how many later events of the stream wait behind the dead letter."],
        examples: [
          [`${SYNAP_COMMAND} dead-letters list`],
          [`${SYNAP_COMMAND} dead-letters list --handler note-creation-reactor --status all`],
          [`${SYNAP_COMMAND} dead-letters list --stream note/42 --json`],
        ],
      }),
    )
    .action(async (_options, command: Command) => list(command.optsWithGlobals<ListOptions>()));
}

async function list(options: ListOptions): Promise<void> {
  const { handler, status, stream, limit, cursor, json } = options;
  const page = await connect(options).admin.deadLetterPage({
    pageSize: limit,
    ...(handler !== undefined && { handler }),
    ...(status !== "all" && { status }),
    ...stream,
    ...(cursor !== undefined && { cursor }),
  });
  if (json) return console.log(jsonText(page, 2));
  if (page.deadLetters.length === 0) {
    return console.log(status === "all" ? "No dead letters." : `No dead letters that are ${status}.`);
  }
  const rows = page.deadLetters.map((deadLetter) => [
    String(deadLetter.id),
    deadLetter.status,
    deadLetter.handler,
    describeStream(deadLetter) ?? "",
    deadLetter.eventType ?? "",
    deadLetter.code,
    count(deadLetter.parked),
    age(deadLetter.lastFailedAt),
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
    .argument("<id>", "its id in the list", deadLetterId)
    .addHelpText("after", helpText({ examples: [[`${SYNAP_COMMAND} dead-letters show 17`]] }))
    .action(async (id: number, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const deadLetter = await connect(options).admin.deadLetter(id);
      console.log(options.json ? jsonText(deadLetter, 2) : describeLetter(deadLetter));
    });
}

function describeLetter(deadLetter: Resource<"DeadLetter">): string {
  const { resolvedAt, resolvedBy = "somebody", resolution } = deadLetter;
  const decided =
    resolvedAt === undefined
      ? undefined
      : `${deadLetter.status} at ${resolvedAt} by ${plain(resolvedBy)}${resolution === undefined ? "" : `: ${plain(resolution)}`}`;
  return formatFields([
    ["dead letter", `${deadLetter.id}, ${deadLetter.status}`],
    ["handler", deadLetter.handler],
    ["stream", describeStream(deadLetter)],
    ["position", deadLetter.position === undefined ? "never stored" : String(deadLetter.position)],
    [
      "failed",
      `${counted(deadLetter.attempts, "time")}, first ${deadLetter.firstFailedAt}, last ${deadLetter.lastFailedAt}`,
    ],
    ["code", deadLetter.code],
    ["reason", plain(deadLetter.reason)],
    ["waiting", `${counted(deadLetter.parked, "later event")} of the stream`],
    ["decided", decided],
    ["event", jsonText(deadLetter.event, 2)],
  ]);
}

function retryCommand(): Command {
  return new Command("retry")
    .description("Retries the events, and then those that waited behind them.")
    .argument("[id...]", "ids in the list", deadLetterIds)
    .option("--all", "every open dead letter, oldest first, instead of ids", false)
    .option("--handler <name>", "with --all: only those of this handler")
    .option("--code <code>", "with --all: only those with this code")
    .addHelpText(
      "after",
      helpText({
        notes: [
          "The event of an ingest-events dead letter was accepted and is not stored: it is validated again and appended. A " +
            "dead letter that fails again stays open, and the command ends with 1.",
        ],
        examples: [
          [`${SYNAP_COMMAND} dead-letters retry 17 18`],
          [`${SYNAP_COMMAND} dead-letters retry --all --handler ingest-events --code unknown-event-type`],
        ],
      }),
    )
    .action(async (ids: readonly number[], _options, command: Command) => {
      const options = command.optsWithGlobals<RetryOptions>();
      if ((ids.length === 0) !== options.all) command.error("error: give numbers, or --all");
      if (!options.all && (options.handler !== undefined || options.code !== undefined)) {
        command.error("error: --handler and --code go with --all");
      }
      const outcomes = options.all
        ? await retryAll(options)
        : await resolveAll(ids, options, (id) => connect(options).admin.retryDeadLetter(id));
      if (outcomes.some(({ failure }) => failure !== undefined)) process.exitCode = EXIT.failed;
    });
}

/** Retries page by page and prints each outcome. @throws ExitError when a dependency of a dead letter is unavailable */
async function retryAll(options: RetryOptions): Promise<DeadLetterOutcome[]> {
  const { handler, code, json } = options;
  const outcomes: DeadLetterOutcome[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: Resource<"DeadLetterOutcomes"> = await connect(options).admin.retryDeadLetters({
      after,
      ...(handler !== undefined && { handler }),
      ...(code !== undefined && { code }),
    });
    for (const outcome of page.outcomes) {
      outcomes.push(outcome);
      console.log(json ? jsonText(outcome) : describeOutcome(outcome));
    }
    if (page.stopped !== undefined) {
      const { id, code: reasonCode, reason } = page.stopped;
      throw new ExitError(
        EXIT.failed,
        `Stopped at dead letter ${id}, which needs something that is away (${reasonCode}): ${plain(reason)}.\n` +
          "It and those after it are as they were. Run the command again later.",
      );
    }
    after = page.next;
  }
  if (outcomes.length === 0 && !json) console.log("No open dead letters match.");
  return outcomes;
}

function skipCommand(): Command {
  return new Command("skip")
    .description("Skips the event for good; those that waited behind it follow.")
    .argument("<id...>", "ids in the list", deadLetterIds)
    .requiredOption("--reason <text>", "the reason, kept with the dead letter")
    .addHelpText(
      "after",
      helpText({
        examples: [[`${SYNAP_COMMAND} dead-letters skip 17 --reason "sent by a test, has no customer"`]],
      }),
    )
    .action(async (ids: readonly number[], _options, command: Command) => {
      const options = command.optsWithGlobals<SkipOptions>();
      const { reason } = options;
      await resolveAll(ids, options, (id) => connect(options).admin.skipDeadLetter(id, reason));
    });
}

/** Retries one after the other, printing each outcome at once. */
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

function describeOutcome({ id, status, failure, resolution, released, parked }: DeadLetterOutcome): string {
  if (failure !== undefined) {
    const waiting =
      parked === 0 ? "" : `\n${counted(parked, "event still waits", "events still wait")} behind it.`;
    return `Dead letter ${id} failed again (${failure.code}): ${plain(failure.reason)}${waiting}`;
  }
  if (resolution !== undefined) return `Dead letter ${id} is ${status}: ${plain(resolution)}.`;
  const followed = released === 0 ? "" : ` ${counted(released, "event")} that waited behind it followed.`;
  const waiting =
    parked === 0
      ? ""
      : ` ${counted(parked, "still waits", "still wait")}: ${SYNAP_COMMAND} dead-letters list.`;
  return `Dead letter ${id} is ${status}.${followed}${waiting}`;
}

function describeStream({ stream }: DeadLetterSummary): string | undefined {
  return stream === undefined ? undefined : `${stream.aggregateType}/${stream.aggregateId}`;
}

function deadLetterId(value: string): number {
  if (!/^[1-9]\d{0,14}$/.test(value))
    throw new InvalidArgumentError("It must be the number of a dead letter.");
  return Number(value);
}

function deadLetterIds(value: string, previous: readonly number[] | undefined): readonly number[] {
  return [...(previous ?? []), deadLetterId(value)];
}
