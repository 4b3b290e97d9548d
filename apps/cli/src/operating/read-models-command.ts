import { SYNAP_COMMAND } from "@synap/service/called-as";
import { Command, InvalidArgumentError } from "commander";
import { momentOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { jsonText } from "../terminal/table.ts";
import { type CommonOptions, connect } from "./connection.ts";

interface ShowOptions extends CommonOptions {
  readonly asOf?: string;
  readonly knownAt?: string;
  readonly validAt?: string;
}

/** `synap read-models ...` */
export const readModelsCommand = (): Command =>
  new Command("read-models")
    .description("Shows read models: their rows now, or at any moment.")
    .addCommand(showCommand());

function showCommand(): Command {
  return new Command("show")
    .description("Shows the rows of a read model, as JSON.")
    .argument("<path>", "the end of its address, such as notes for /api/v1/notes")
    .argument("[pairs...]", "its parameters, such as userId=ada", parameterArgument)
    .option("--as-of <moment>", "as it was at this moment, by when events were stored", momentOption)
    .option("--known-at <moment>", "as it was known at this moment, with corrections applied", momentOption)
    .option("--valid-at <moment>", "as it held at this moment, by the validity of its events", momentOption)
    .addHelpText(
      "after",
      helpText({
        notes: [
          "The past is folded from the log, in the API: at most 100,000 events.",
          "--as-of and --known-at may not be in the future, --valid-at may.",
          "--known-at alone is about the same moment, --valid-at alone is as it is known now. Give --as-of, or these two.",
        ],
        examples: [
          [`${SYNAP_COMMAND} read-models show notes userId=ada`],
          [`${SYNAP_COMMAND} read-models show audit-log limit=10 --as-of 2026-01-31T09:30:00Z`],
          [
            `${SYNAP_COMMAND} read-models show notes --known-at 2026-02-02T12:00:00Z --valid-at 2026-02-03T12:00:00Z`,
          ],
          [`${SYNAP_COMMAND} read-models show compliance from=2026-01-01 to=2026-01-31`],
        ],
      }),
    )
    .action(async (path: string, parameters: Parameters | undefined, _options, command: Command) => {
      const { asOf, knownAt, validAt, ...options } = command.optsWithGlobals<ShowOptions>();
      const rows = await connect(options).readModel(path, parameters ?? {}, { asOf, knownAt, validAt });
      console.log(jsonText(rows, 2));
    });
}

type Parameters = Readonly<Record<string, string>>;

function parameterArgument(value: string, before: Parameters | undefined): Parameters {
  const end = value.indexOf("=");
  if (end < 1) throw new InvalidArgumentError("It must be NAME=VALUE, as in userId=ada.");
  return { ...before, [value.slice(0, end)]: value.slice(end + 1) };
}
