import type { ExitCode } from "./exit-codes.ts";

/** Ends a command with an exit code. The command prints the message. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code = "CLI";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
