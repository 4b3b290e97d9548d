import { SYNAP_COMMAND } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { count } from "@synap/types/internal";
import { Command } from "commander";
import { momentOption, wholeOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { jsonText, plain } from "../terminal/table.ts";
import { type CommonOptions, connect } from "./connection.ts";

interface ShowOptions extends CommonOptions {
  readonly version?: number;
  readonly at?: string;
  readonly knownAt?: string;
  readonly validAt?: string;
}

/** `synap aggregates ...` */
export const aggregatesCommand = (): Command =>
  new Command("aggregates")
    .description("Shows aggregates: their state now, or at any version or moment.")
    .addCommand(showCommand());

function showCommand(): Command {
  return new Command("show")
    .description("Shows the state of an aggregate.")
    .argument("<type>", "the aggregateType of its events")
    .argument("<id>", "the aggregateId of its events")
    .option("--version <n>", "as it was at this version", wholeOption(1, Number.MAX_SAFE_INTEGER))
    .option("--at <moment>", "as it was at this moment, by when its events happened", momentOption)
    .option("--known-at <moment>", "as it was known at this moment, with corrections applied", momentOption)
    .option("--valid-at <moment>", "as it held at this moment, by the validity of its events", momentOption)
    .addHelpText(
      "after",
      helpText({
        notes: [
          "--at and --known-at may not be in the future, --valid-at may.",
          "--known-at alone is about the same moment, --valid-at alone is as it is known now.",
          "An aggregate whose kind has rules has the state that these give. Of any other, the newest data of each type of its events is shown.",
        ],
        examples: [
          [`${SYNAP_COMMAND} aggregates show reservation r-12`],
          [`${SYNAP_COMMAND} aggregates show reservation r-12 --version 1`],
          [`${SYNAP_COMMAND} aggregates show note 42 --at 2026-01-31T09:30:00Z --json`],
          [
            `${SYNAP_COMMAND} aggregates show reservation r-12 --known-at 2026-02-02T12:00:00Z --valid-at 2026-02-03T12:00:00Z`,
          ],
        ],
      }),
    )
    .action(async (type: string, id: string, _options, command: Command) => {
      await show(type, id, command.optsWithGlobals<ShowOptions>());
    });
}

async function show(type: string, id: string, options: ShowOptions): Promise<void> {
  const { version, at, knownAt, validAt, json } = options;
  const found = await connect(options).getAggregate(
    { aggregateType: type, aggregateId: id },
    {
      ...(version !== undefined && { version }),
      ...(at !== undefined && { at }),
      ...(knownAt !== undefined && { knownAt }),
      ...(validAt !== undefined && { validAt }),
    },
  );
  if (found === undefined) {
    const when = at === undefined ? "" : ` at ${at}`;
    throw new ExitError(EXIT.failed, plain(`There is no ${type} ${id}${when}.`));
  }
  if (json) return console.log(jsonText(found, 2));
  const missing = found.complete === false ? " Types only in older events are missing." : "";
  const what = found.fold === undefined ? "" : ` The newest data of each type of event:${missing}`;
  console.log(`${plain(`${type} ${id}`)} at version ${count(found.version)}.${what}\n`);
  console.log(jsonText(found.state, 2));
}
