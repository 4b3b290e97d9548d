import { SYNAP_COMMAND } from "@synap/service/called-as";
import { Command, InvalidArgumentError } from "commander";
import { endWithReader } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { streamOption } from "../terminal/stream-option.ts";
import type { CommonOptions } from "./connection.ts";
import { type TailRequest, tailEvents } from "./tail-events.ts";

/** `synap events ...` */
export const eventsCommand = (): Command =>
  new Command("events")
    .description("Follows all events, in the order of their positions.")
    .addCommand(tailCommand());

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
