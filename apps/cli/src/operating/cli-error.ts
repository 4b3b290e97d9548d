import type { ExitCode } from "./exit-codes.ts";

/** Why a command ends, and with which exit code. The message is written for the person at the terminal. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code = "CLI";
  readonly exitCode: ExitCode;
  /** The code of the API's problem, if it was one. */
  readonly problem: string | undefined;

  constructor(
    exitCode: ExitCode,
    message: string,
    options: ErrorOptions & { readonly problem?: string } = {},
  ) {
    super(message, options);
    this.exitCode = exitCode;
    this.problem = options.problem;
  }
}
