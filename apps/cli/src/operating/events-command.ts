import { SYNAP_COMMAND } from "@synap/service/called-as";
import { Command, InvalidArgumentError, Option } from "commander";
import { endWithReader, momentOption, wholeOption } from "../terminal/command.ts";
import { eventLine, eventTitles } from "../terminal/event-line.ts";
import { helpText } from "../terminal/help-text.ts";
import { streamOption } from "../terminal/stream-option.ts";
import { jsonText } from "../terminal/table.ts";
import { type CommonOptions, connect } from "./connection.ts";
import { type TailRequest, tailEvents } from "./tail-events.ts";

/** `synap events ...` */
export const eventsCommand = (): Command =>
  new Command("events")
    .description("Follows all events, in the order of their positions, and finds stored ones.")
    .addCommand(tailCommand())
    .addCommand(findCommand());

interface FindOptions extends CommonOptions {
  readonly type?: readonly string[];
  readonly stream?: ReturnType<typeof streamOption>;
  readonly knownAt?: string;
  readonly validAt?: string;
  readonly corrections?: "applied" | "marked";
  readonly limit: number;
}

function findCommand(): Command {
  return new Command("find")
    .description(
      "Shows stored events, the newest first: also as they were known, and with corrections applied.",
    )
    .option("--type <type>", "only events of this type; may be given several times", several)
    .option("--stream <type/id>", "only events of this stream", streamOption)
    .option("--known-at <moment>", "only what was stored up to this moment", momentOption)
    .option(
      "--valid-at <moment>",
      "only facts that hold at this moment; needs --type or --stream",
      momentOption,
    )
    .addOption(
      new Option("--corrections <how>", "only events in force, or all with what amends them").choices([
        "applied",
        "marked",
      ]),
    )
    .option("--limit <events>", "maximum number of events", wholeOption(1, 1_000_000), 100)
    .addHelpText(
      "after",
      helpText({
        notes: [
          "--known-at may not be in the future, --valid-at may.",
          'With --json: one event a line (NDJSON), whole; marks are in "amendedBy".',
        ],
        examples: [
          [`${SYNAP_COMMAND} events find --type price.changed --corrections applied`],
          [
            `${SYNAP_COMMAND} events find --stream product/p-1 --corrections applied --known-at 2026-02-02T12:00:00Z --valid-at 2026-02-03T12:00:00Z`,
          ],
        ],
      }),
    )
    .action(async (_options, command: Command) => {
      endWithReader();
      await findEvents(command.optsWithGlobals<FindOptions>());
    });
}

async function findEvents(options: FindOptions): Promise<void> {
  const { type, stream, knownAt, validAt, corrections, limit, json } = options;
  const query = { type, ...stream, knownAt, validAt, corrections, pageSize: Math.min(limit, 1_000) };
  if (!json) console.log(eventTitles("position"));
  let shown = 0;
  for await (const event of connect(options).query(query)) {
    const mark = event.amendedBy && `${"".padStart(16)}${event.amendedBy.kind} ${event.amendedBy.eventId}`;
    console.log(json ? jsonText(event) : eventLine(event, "position"));
    if (mark !== undefined && !json) console.log(mark);
    shown += 1;
    if (shown === limit) return;
  }
}

function tailCommand(): Command {
  return new Command("tail")
    .description(
      "Shows events as they are stored, until Ctrl-C. Reconnects by itself when the API was unavailable.",
    )
    .option("--from <where>", "now, start, or a position, after which it begins", from, "now")
    .option("--type <type>", "only events of this type; may be given several times", several)
    .option("--stream <type/id>", "only events of this stream", streamOption)
    .option("--until-caught-up", "end once everything that is stored has been shown", false)
    .addHelpText(
      "after",
      helpText({
        notes: ['With --json: one event a line (NDJSON), whole. To resume, pass its "position" to --from.'],
        examples: [
          [`${SYNAP_COMMAND} events tail`],
          [`${SYNAP_COMMAND} events tail --from start --until-caught-up --json > all.ndjson`],
          [`${SYNAP_COMMAND} events tail --type note.creation.requested --type note.creation.completed`],
        ],
      }),
    )
    .action(async (_options, command: Command) => {
      endWithReader();
      await tailEvents(command.optsWithGlobals<CommonOptions & TailRequest>());
    });
}

function from(value: string): TailRequest["from"] {
  const isPosition = /^\d+$/.test(value) && Number.isSafeInteger(Number(value));
  if (value === "now" || value === "start") return value;
  if (isPosition) return Number(value);
  throw new InvalidArgumentError("It must be now, start, or a position, a whole number from 0.");
}

function several(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}
