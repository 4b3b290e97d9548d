import { commandOf, SYNAP_COMMAND } from "@synap/service/called-as";
import { Command } from "commander";
import { findProgram, PROGRAMS } from "../programs.ts";
import { warnOfUnknownSettings } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { refuseCommand, runProgram, setUpCommand } from "../terminal/program.ts";
import { RELEASE } from "../terminal/release.ts";
import { aggregatesCommand } from "./aggregates-command.ts";
import { describeApiFailure } from "./api-failure.ts";
import { addCommonOptions, type CommonOptions } from "./connection.ts";
import { deadLettersCommand } from "./dead-letters-command.ts";
import { eventsCommand } from "./events-command.ts";
import { projectionsCommand } from "./projections-command.ts";
import { readModelsCommand } from "./read-models-command.ts";
import { signInCommand } from "./sign-in-command.ts";
import { sinksCommand } from "./sinks/sinks-command.ts";
import { statusCommand } from "./status-command.ts";
import { streamsCommand } from "./streams-command.ts";
import { typesCommand } from "./types-command.ts";

/** Commands that call a running API. */
const CLIENT_COMMANDS = [
  statusCommand,
  streamsCommand,
  aggregatesCommand,
  eventsCommand,
  typesCommand,
  readModelsCommand,
  projectionsCommand,
  sinksCommand,
  deadLettersCommand,
  signInCommand,
];

/** The topic of `synap help` that lists the environment variables. */
const SETTINGS = "settings";

/** Words that are commands only in front of everything else. */
const LEADING_WORDS = [...PROGRAMS.map(({ name }) => name), "help"];

/** Runs one `synap` command and sets the exit code of the process. */
export async function runCli(args: readonly string[]): Promise<void> {
  const [name = "", ...rest] = args;
  // Not an option of the program, which "projections rebuild --version" would call too.
  if (name === "--version" || name === "-V") return console.log(RELEASE);
  if (name === "help") return runProgram(helpCommand(), rest);
  const program = await loadProgram(name, rest);
  if (program !== undefined) return runProgram(program, rest);
  const client = createProgram();
  warnOfUnknownSettings();
  await runProgram(client, args, (error) => describeApiFailure(error, client.opts<CommonOptions>()) ?? error);
}

/** The `synap` program with the commands that call a running API. */
export function createProgram(): Command {
  const command = new Command("synap")
    .description("Runs Synap with an application's config, and operates a running one over its HTTP API.")
    .addHelpText(
      "after",
      helpText({
        lists: {
          Programs: PROGRAMS.map(({ name, description }) => [name, description]),
          Help: [
            ["help [command...]", "the help of a command, such as help events tail"],
            [`help ${SETTINGS}`, "the environment variables of all processes"],
            ["--version", "the release"],
          ],
        },
        notes: ["All commands but the programs call a running Synap."],
        examples: [
          [commandOf("dev"), "run the application while you write it"],
          [`${SYNAP_COMMAND} status`, "status of the store and of every handler"],
          [`${SYNAP_COMMAND} events tail`, "events as they are stored; Ctrl-C ends it"],
          [`${SYNAP_COMMAND} streams read note 42`, "the events of note 42"],
          [`${SYNAP_COMMAND} aggregates show reservation r-12`, "the state of reservation r-12"],
          [`${SYNAP_COMMAND} read-models show notes userId=ada`, "the notes of ada"],
          [`${SYNAP_COMMAND} types register cart-abandoned.json`, "an event type without code"],
          [`${SYNAP_COMMAND} projections rebuild open-loops`, "build a read model beside the live one"],
          [`${SYNAP_COMMAND} dead-letters list`, "events that a handler failed on"],
          [`${SYNAP_COMMAND} dead-letters retry 17`, "retry one after correcting its cause"],
          [`${SYNAP_COMMAND} sign-in`, "a link by which a browser signs in"],
        ],
        exitCodes: ["done", "failed", "usage", "unreachable", "token", "incomplete", "interrupted"],
      }),
    );
  addCommonOptions(command);
  for (const create of CLIENT_COMMANDS) command.addCommand(create());
  return setUpCommand(command, (args) => `${SYNAP_COMMAND} ${args}`, LEADING_WORDS);
}

async function loadProgram(name: string, args: readonly string[]): Promise<Command | undefined> {
  const command = await findProgram(name)?.load(args);
  return command === undefined ? undefined : setUpCommand(command, (args) => commandOf(name, args));
}

/** `synap help`: prints the help of any command. */
function helpCommand(): Command {
  const command = new Command("help")
    .description("Shows the help of a command.")
    .argument("[command...]", "the words of the command, such as events tail")
    .action(async (words: readonly string[]) => (await findCommand(words)).outputHelp());
  return setUpCommand(command, (args) => `${SYNAP_COMMAND} help ${args}`);
}

/** Finds the command that words name, or the page of settings. Reports a usage error for an unknown one. */
export async function findCommand(words: readonly string[]): Promise<Command> {
  const [name = "", ...others] = words;
  const program =
    name === SETTINGS ? (await import("../settings-help.ts")).settingsHelp() : await loadProgram(name, []);
  const from = program ?? createProgram();
  const path = program === undefined ? words : others;
  return path.reduce((command, word) => {
    const next = command.commands.find((each) => each.name() === word);
    return next ?? refuseCommand(command, word);
  }, from);
}
