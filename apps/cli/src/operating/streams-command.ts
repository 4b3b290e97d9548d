import { SYNAP_COMMAND } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { count } from "@synap/types/internal";
import { Command } from "commander";
import { endWithReader, wholeOption } from "../terminal/command.ts";
import { eventLine, eventTitles } from "../terminal/event-line.ts";
import { helpText } from "../terminal/help-text.ts";
import { jsonText, plain } from "../terminal/table.ts";
import { type CommonOptions, connect } from "./connection.ts";

interface ReadOptions extends CommonOptions {
  readonly from?: number;
  readonly to?: number;
  readonly backwards: boolean;
}

const version = wholeOption(1, Number.MAX_SAFE_INTEGER);

/** `synap streams ...` */
export const streamsCommand = (): Command =>
  new Command("streams")
    .description("Reads streams: the events of one aggregate, in order.")
    .addCommand(readCommand());

function readCommand(): Command {
  return new Command("read")
    .description("Shows the events of a stream.")
    .argument("<type>", "the aggregateType of its events")
    .argument("<id>", "the aggregateId of its events")
    .option("--from <version>", "the lowest version to show", version)
    .option("--to <version>", "the highest version to show", version)
    .option("--backwards", "the newest first", false)
    .addHelpText(
      "after",
      helpText({
        notes: ["With --json: one event a line (NDJSON), whole."],
        examples: [
          [`${SYNAP_COMMAND} streams read note 42`],
          [`${SYNAP_COMMAND} streams read note 42 --backwards | head`],
          [`${SYNAP_COMMAND} streams read note 42 --from 10 --to 20 --json`],
        ],
      }),
    )
    .action(async (type: string, id: string, _options, command: Command) => {
      await readStream(type, id, command.optsWithGlobals<ReadOptions>());
    });
}

async function readStream(type: string, id: string, options: ReadOptions): Promise<void> {
  const { from, to, backwards, json } = options;
  endWithReader();
  const api = connect(options);
  const name = { aggregateType: type, aggregateId: id };
  const stream = await api.getStream(name);
  if (stream === undefined) {
    // Refused with similar names when the type is misspelt.
    await api.query({ aggregateType: type, pageSize: 1 }).next();
    throw new ExitError(EXIT.failed, plain(`There is no stream ${type} ${id}.`));
  }
  if (!json) {
    const closed = stream.closedAt === undefined ? "" : `, closed at ${stream.closedAt}`;
    console.log(`${plain(`${type} ${id}`)} is at version ${count(stream.streamVersion)}${closed}\n`);
    console.log(eventTitles("version"));
  }
  const events = api.readStream(name, {
    direction: backwards ? "backwards" : "forwards",
    ...(from !== undefined && { fromVersion: from }),
    ...(to !== undefined && { toVersion: to }),
  });
  for await (const event of events) console.log(json ? jsonText(event) : eventLine(event, "version"));
}
