import { EXIT, EXIT_MEANINGS } from "@synap/service/exit-codes";
import { type AddHelpTextContext, Help } from "commander";

/** A term and its meaning. */
export type HelpRow = readonly [term: string, meaning: string];

/** A command, and a comment on it. */
export type HelpExample = readonly [command: string, comment?: string];

/** The part of a help page below its options. No text contains a line break: {@link helpText} wraps. */
export interface HelpText {
  readonly notes?: readonly string[];
  /** Lists by title. */
  readonly lists?: Readonly<Record<string, readonly HelpRow[]>>;
  /** Environment variables that no option shows. */
  readonly environment?: readonly HelpRow[];
  readonly examples?: readonly HelpExample[];
  /** The exit codes that the command has. */
  readonly exitCodes?: readonly (keyof typeof EXIT)[];
}

/** Width of a help page where there is no terminal, in characters. */
const WIDTH_WITHOUT_TERMINAL = 80;

/** Text for `addHelpText("after", ...)`, wrapped at the width of the terminal. */
export function helpText(text: HelpText): (context: AddHelpTextContext) => string {
  return ({ error, command }) => {
    const { getErrHelpWidth, getOutHelpWidth } = command.configureOutput();
    const width = (error ? getErrHelpWidth : getOutHelpWidth)?.() ?? WIDTH_WITHOUT_TERMINAL;
    return `\n${formatHelp(text, width)}`;
  };
}

function formatHelp(text: HelpText, width: number): string {
  const { notes = [], lists = {}, environment = [], examples = [], exitCodes = [] } = text;
  const helper = Object.assign(new Help(), { helpWidth: width, minWidthToWrap: 20 });
  const list = (title: string, rows: readonly HelpRow[]) => {
    const termWidth = Math.max(...rows.map(([term]) => term.length));
    return [
      `${title}:`,
      ...rows.map(([term, meaning]) => helper.formatItem(term, termWidth, meaning, helper)),
    ].join("\n");
  };
  const blocks = Object.entries(lists).map(([title, rows]) => list(title, rows));
  for (const note of notes) blocks.push(helper.boxWrap(note, width));
  if (environment.length > 0) blocks.push(list("Environment", environment));
  if (examples.length > 0) blocks.push(`Examples:\n${formatExamples(examples, width)}`);
  if (exitCodes.length > 0) {
    blocks.push(
      list(
        "Exit codes",
        exitCodes.map((name) => [String(EXIT[name]), EXIT_MEANINGS[name]]),
      ),
    );
  }
  return blocks.join("\n\n");
}

/** Formats commands with their comments beside them, or above them if a line would be too long. */
function formatExamples(examples: readonly HelpExample[], width: number): string {
  const commandWidth = Math.max(...examples.map(([command]) => command.length));
  const fits = examples.every(([, comment = ""]) => 2 + commandWidth + 2 + comment.length <= width);
  return examples
    .map(([command, comment]) => {
      if (comment === undefined) return wrapCommand(command, width);
      return fits
        ? `  ${command.padEnd(commandWidth)}  ${comment}`
        : `  # ${comment}\n${wrapCommand(command, width)}`;
    })
    .join("\n");
}

/** Wraps a shell command so that it can be pasted. Quoted arguments stay whole. */
function wrapCommand(command: string, width: number): string {
  const lines: string[] = [];
  let line = " ";
  for (const word of command.match(/(?:'[^']*'|"[^"]*"|\S)+/g) ?? []) {
    if (line.length + 1 + word.length + 2 > width && line.trim() !== "") {
      lines.push(`${line} \\`);
      line = "     ";
    }
    line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}
