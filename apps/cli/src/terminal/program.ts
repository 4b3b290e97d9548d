import { EXIT, exitCodeOf } from "@synap/service/exit-codes";
import { didYouMean } from "@synap/types/internal";
import { type Command, CommanderError, type Option } from "commander";
import { outliveReader, printFailure } from "./command.ts";

/**
 * Makes a command and its subcommands report usage errors in one form: the mistake, the word that was probably meant, and the
 * command that shows the help. Usage errors are thrown, for {@link runProgram}.
 *
 * @param call the command as people call it, with arguments, for the messages and the help
 * @param programs words that are commands too, but only in front of everything else
 */
export function setUpCommand(
  command: Command,
  call: (args: string) => string,
  programs: readonly string[] = [],
): Command {
  command
    .exitOverride()
    .helpCommand(false)
    .showSuggestionAfterError(false)
    .configureHelp({
      showGlobalOptions: true,
      sortSubcommands: false,
      minWidthToWrap: 20,
      commandUsage: (described) => call(described.usage()).trimEnd(),
      optionDescription,
    })
    .configureOutput({
      outputError: (text, write) => {
        write(`${describeMistake(command, text.trimEnd(), programs)} See ${call("--help")}.\n`);
      },
    })
    .addHelpText("before", () => {
      refuseUnknownWord(command);
      return "";
    });
  for (const each of command.commands) setUpCommand(each, (args) => call(`${each.name()} ${args}`));
  return command;
}

/** The description of an option with its choices, its default, unless that is "off", and its environment variable. */
function optionDescription(option: Option): string {
  const { description, argChoices, defaultValue, defaultValueDescription, envVar } = option;
  const usual = defaultValueDescription ?? (defaultValue === false ? undefined : defaultValue);
  const facts = [
    ...(argChoices === undefined ? [] : [`choices: ${argChoices.join(", ")}`]),
    ...(usual === undefined ? [] : [`default: ${usual}`]),
    ...(envVar === undefined ? [] : [`env: ${envVar}`]),
  ];
  return facts.length === 0 ? description : `${description} (${facts.join("; ")})`;
}

/**
 * Runs the command line of a program and sets the exit code of the process. Prints the reason of a failure.
 *
 * @param explain replaces an error by one with a better message or exit code
 */
export async function runProgram(
  command: Command,
  args: readonly string[] = process.argv.slice(2),
  explain: (error: unknown) => unknown = (error) => error,
): Promise<void> {
  outliveReader();
  dropEmptySettings(process.env);
  try {
    await command.parseAsync(args, { from: "user" });
  } catch (error) {
    // Commander has printed its message. Its own exit code for a usage error is 1.
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
      return;
    }
    const explained = explain(error);
    printFailure(explained);
    process.exitCode = exitCodeOf(explained);
  }
}

/** Deletes empty settings, because compose files write unset variables that way. */
function dropEmptySettings(variables: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === "" && name.startsWith("SYNAP_")) delete variables[name];
  }
}

/** Reports a word that is no subcommand when help is requested, because Commander would print the help of the parent. */
function refuseUnknownWord(command: Command): void {
  const word = command.args.find((each) => !each.startsWith("-"));
  if (command.commands.length > 0 && word !== undefined) refuseCommand(command, word);
}

/** Reports an unknown command like Commander itself. */
export function refuseCommand(command: Command, word: string): never {
  return command.error(`error: unknown command '${word}'`);
}

function describeMistake(command: Command, message: string, programs: readonly string[]): string {
  const [, kind, word = ""] = /^error: unknown (command|option) '(.*)'$/s.exec(message) ?? [];
  if (kind === undefined) return describeValue(message);
  if (kind === "command" && programs.includes(word)) {
    return `error: "${word}" must come before all options.`;
  }
  const known =
    kind === "option" ? optionsOf(command) : [...command.commands.map((each) => each.name()), ...programs];
  return `error: unknown ${kind} "${word}"${didYouMean(word, known)}.`;
}

/** Words a mistake other than an unknown name. */
function describeValue(message: string): string {
  const argument = /^error: command-argument value '(.*)' is invalid for argument '(.*?)'\. (.*)$/s.exec(
    message,
  );
  if (argument !== null) {
    const [, value, name, reason] = argument;
    return `error: "${value}" is no valid ${name}. ${reason}`;
  }
  const option =
    /^error: option '(?:-\w, )?(--[\w-]+)[^']*' (?:argument|value) '(.*?)' (?:from env '(\w+)' )?is invalid\. (.*)$/s;
  const [, name, value, variable, reason] = option.exec(message) ?? [];
  if (name === undefined) return sentence(message.replaceAll(/'([^']*)'/g, '"$1"'));
  return `error: ${variable === undefined ? name : `${variable} (${name})`} can't be "${value}". ${reason}`;
}

function optionsOf(command: Command | null): string[] {
  if (command === null) return ["--help"];
  return [...command.options.flatMap(({ long }) => long ?? []), ...optionsOf(command.parent)];
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
