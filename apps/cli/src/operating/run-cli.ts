import { SYNAP_COMMAND } from "@synap/service/called-as";
import { Command, CommanderError } from "commander";
import { PROGRAMS } from "../programs.ts";
import { endOnClosedPipe, warnOfUnknownSettings } from "../terminal/command.ts";
import { explainUsageErrors } from "../terminal/usage-errors.ts";
import { describeApiFailure } from "./api-failure.ts";
import type { CommandGroup } from "./command-group.ts";
import { addCommonOptions, type CommonOptions } from "./connection.ts";
import { deadLettersCommand } from "./dead-letters-command.ts";
import { eventsCommand } from "./events-command.ts";
import { EXIT, EXIT_HELP, type ExitCode } from "./exit-codes.ts";
import { projectionsCommand } from "./projections-command.ts";
import { statusCommand } from "./status-command.ts";
import { streamsCommand } from "./streams-command.ts";

const PROGRAMS_HELP = `
Programs:
${PROGRAMS.map(({ name, description }) => `  ${name.padEnd(15)} ${description}`).join("\n")}
`;

const EXAMPLES = `
Examples:
  ${SYNAP_COMMAND} dev                                run the application while you write it
  ${SYNAP_COMMAND} status                             status of the store and of every handler
  ${SYNAP_COMMAND} events tail                        events as they are stored; Ctrl-C ends it
  ${SYNAP_COMMAND} streams read note 42               the events of note 42
  ${SYNAP_COMMAND} projections rebuild open-loops     build a read model beside the live one
  ${SYNAP_COMMAND} dead-letters list                  events that a handler failed on
  ${SYNAP_COMMAND} dead-letters retry 17              retry one after correcting its cause

All commands but the programs call a running Synap. Each has its own help, as in
${SYNAP_COMMAND} start --help.`;

/**
 * Runs one `synap` command.
 *
 * @returns its exit code
 */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  endOnClosedPipe();
  let exitCode: ExitCode = EXIT.done;
  const program = createProgram((code) => {
    exitCode = code;
  });
  warnOfUnknownSettings();
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const failure = describeApiFailure(error, program.opts<CommonOptions>());
    if (failure === undefined) throw error;
    console.error(failure.message);
    return failure.exitCode;
  }
}

const GROUPS: readonly CommandGroup[] = [
  statusCommand,
  streamsCommand,
  eventsCommand,
  projectionsCommand,
  deadLettersCommand,
];

/** The `synap` program with its commands. */
export function createProgram(endWith: (code: ExitCode) => void): Command {
  const program = new Command("synap")
    .description("Runs Synap with an application's config, and operates a running one over its HTTP API.")
    .addHelpText("after", PROGRAMS_HELP + EXAMPLES + EXIT_HELP);
  addCommonOptions(program);
  for (const group of GROUPS) program.addCommand(group(endWith));
  throwOnExit(program);
  const programs = PROGRAMS.map(({ name }) => name);
  return explainUsageErrors(program, SYNAP_COMMAND, programs);
}

function throwOnExit(command: Command): void {
  command.exitOverride();
  for (const each of command.commands) throwOnExit(each);
}
