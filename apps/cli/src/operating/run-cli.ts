import { Command, CommanderError } from "commander";
import { describeApiFailure } from "./api-failure.ts";
import type { CommandGroup } from "./command-group.ts";
import { addCommonOptions, type CommonOptions } from "./connection.ts";
import { deadLettersCommand } from "./dead-letters-command.ts";
import { eventsCommand } from "./events-command.ts";
import { EXIT, EXIT_HELP, type ExitCode } from "./exit-codes.ts";
import { projectionsCommand } from "./projections-command.ts";
import { statusCommand } from "./status-command.ts";
import { streamsCommand } from "./streams-command.ts";

const EXAMPLES = `
Examples:
  npx -y pnpm@12 synap status                              status of the store and of every handler
  npx -y pnpm@12 synap events tail                         events as they are stored; Ctrl-C ends it
  npx -y pnpm@12 synap streams read note 42                the events of note 42
  npx -y pnpm@12 synap projections rebuild open-loops      build a read model beside the live one
  npx -y pnpm@12 synap dead-letters list                   events that a handler failed on
  npx -y pnpm@12 synap dead-letters retry 17               retry one after correcting its cause

Synap must be running: npm start. Each command explains itself, as in synap status --help.`;

/**
 * Runs one `synap` command.
 *
 * @returns its exit code
 */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  // `synap streams read note 1 | head` closes the pipe: that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.done);
    throw error;
  });
  let exitCode: ExitCode = EXIT.done;
  const program = createProgram((code) => {
    exitCode = code;
  });
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
    .description("Looks at a running Synap and operates it, over its HTTP API.")
    .addHelpText("after", EXAMPLES + EXIT_HELP);
  addCommonOptions(program);
  for (const group of GROUPS) program.addCommand(group(endWith));
  configure(program);
  return program;
}

/** The same manners for every command, however deep. */
function configure(command: Command): void {
  command
    .exitOverride()
    .showHelpAfterError("(add --help for what is possible)")
    .configureHelp({ showGlobalOptions: true, helpWidth: 100, sortSubcommands: false })
    .configureOutput({ getOutHelpWidth: () => 100, getErrHelpWidth: () => 100 });
  for (const each of command.commands) configure(each);
}
