import type { ExitCode } from "./exit-codes.ts";

/** A command ends with this exit code. The message is written for the person at the terminal. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code = "CLI";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
