import { didYouMean } from "@synap/types/internal";
import type { Command } from "commander";

/**
 * Makes a command and its subcommands report what they did not understand in one form: the mistake, the word that was probably
 * meant, and the command that shows the help.
 *
 * @param calledAs the command as people call it, for the messages and the help
 * @param programs words that are commands too, but only in front of everything else
 */
export function explainUsageErrors(
  command: Command,
  calledAs: string,
  programs: readonly string[] = [],
): Command {
  command
    .showSuggestionAfterError(false)
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: 100,
      sortSubcommands: false,
      commandUsage: (described) => `${calledAs} ${described.usage()}`,
    })
    .configureOutput({
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
      outputError: (text, write) => {
        write(`${describeMistake(command, text.trimEnd(), programs)} See ${calledAs} --help.\n`);
      },
    });
  for (const each of command.commands) explainUsageErrors(each, `${calledAs} ${each.name()}`);
  return command;
}

function describeMistake(command: Command, message: string, programs: readonly string[]): string {
  const [, kind, word = ""] = /^error: unknown (command|option) '(.*)'$/s.exec(message) ?? [];
  if (kind === undefined) return sentence(message.replaceAll(/'([^']*)'/g, '"$1"'));
  if (kind === "command" && programs.includes(word)) {
    return `error: "${word}" must come before all options.`;
  }
  const known =
    kind === "option" ? optionsOf(command) : [...command.commands.map((each) => each.name()), ...programs];
  return `error: unknown ${kind} "${word}"${didYouMean(word, known)}.`;
}

function optionsOf(command: Command | null): string[] {
  if (command === null) return ["--help"];
  return [...command.options.flatMap(({ long }) => long ?? []), ...optionsOf(command.parent)];
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
