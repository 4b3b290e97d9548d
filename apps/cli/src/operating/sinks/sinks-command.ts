import type { Resource } from "@synap/client";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import { count, counted } from "@synap/types/internal";
import { Command } from "commander";
import { helpText } from "../../terminal/help-text.ts";
import { duration } from "../../terminal/numbers.ts";
import { formatFields, formatTable, jsonText, plain } from "../../terminal/table.ts";
import { type CommonOptions, connect } from "../connection.ts";

type Sink = Resource<"Sink">;

/** `synap sinks ...` */
export const sinksCommand = (): Command =>
  new Command("sinks")
    .description("Shows and pauses sinks, which follow the log into other systems.")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(changeCommand("pause", "Pauses a sink. Its destination stays as it is."))
    .addCommand(changeCommand("resume", "Resumes a sink from its checkpoint."))
    .addHelpText(
      "after",
      helpText({
        notes: [
          "STATE is running, waiting (the last attempt failed and is repeated), paused, or stopped: no process runs it.",
        ],
      }),
    );

function listCommand(): Command {
  return new Command("list")
    .description("Lists sinks with their state and progress.")
    .addHelpText(
      "after",
      helpText({
        notes: [
          "LAG is how many stored events the sink has still to look at, BEHIND how long the first of them has been waiting.",
        ],
        examples: [
          [`${SYNAP_COMMAND} sinks list`],
          [`${SYNAP_COMMAND} sinks list --json | jq '.sinks[] | select(.state == "waiting")'`],
        ],
      }),
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const sinks = await connect(options).admin.sinks();
      if (options.json) return console.log(jsonText({ sinks }, 2));
      console.log(sinks.length === 0 ? "No sinks." : describeSinks(sinks));
    });
}

function showCommand(): Command {
  return new Command("show")
    .description("Shows one sink.")
    .argument("<name>", "the sink's name")
    .addHelpText("after", helpText({ examples: [[`${SYNAP_COMMAND} sinks show reporting`]] }))
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const found = await connect(options).admin.sink(name);
      console.log(options.json ? jsonText(found, 2) : describeSink(found));
    });
}

function changeCommand(change: "pause" | "resume", description: string): Command {
  return new Command(change)
    .description(description)
    .argument("<name>", "the sink's name")
    .addHelpText("after", helpText({ examples: [[`${SYNAP_COMMAND} sinks ${change} reporting`]] }))
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const { admin } = connect(options);
      const sink = await (change === "pause" ? admin.pauseSink(name) : admin.resumeSink(name));
      console.log(options.json ? jsonText(sink, 2) : `${name} is ${sink.state}.`);
    });
}

/** Formats a table of sinks. */
export function describeSinks(sinks: readonly Sink[]): string {
  const rows = sinks.map((sink) => [
    sink.name,
    plain(sink.destination),
    sink.guarantee,
    sink.state,
    count(sink.lagEvents),
    sink.lagSeconds === 0 ? "" : duration(sink.lagSeconds * 1000),
    count(sink.openDeadLetters),
    count(sink.parkedEvents),
  ]);
  const columns = ["SINK", "DESTINATION", "GUARANTEE", "STATE", "LAG", "BEHIND", "DEAD LETTERS", "WAITING"];
  const left = new Set(["SINK", "DESTINATION", "GUARANTEE", "STATE"]);
  return formatTable(
    columns.map((title) => ({ title, align: left.has(title) ? "left" : "right" })),
    rows,
  );
}

function describeSink(sink: Sink): string {
  const behind = sink.lagSeconds === 0 ? "" : `, the first for ${duration(sink.lagSeconds * 1000)}`;
  return formatFields([
    ["sink", sink.name],
    ["does", plain(sink.description)],
    ["destination", `${plain(sink.destination)}, ${sink.guarantee}`],
    ["state", sink.state],
    ["checkpoint", String(sink.checkpoint)],
    [
      "lag",
      sink.lagEvents === 0 ? "none" : `${counted(sink.lagEvents, "event waits", "events wait")}${behind}`,
    ],
    ["dead letters", sink.openDeadLetters === 0 ? undefined : count(sink.openDeadLetters)],
    ["behind them", sink.parkedEvents === 0 ? undefined : counted(sink.parkedEvents, "event")],
    ["failure", sink.failure === undefined ? undefined : plain(sink.failure)],
    ["changed by", sink.changedBy === undefined ? undefined : plain(sink.changedBy)],
  ]);
}
