import { DatabaseUrlError } from "@synap/database";

/** Exit codes of every program. The numbers never change: scripts depend on them. */
export const EXIT = {
  /** Success. Ctrl-C out of a program that runs until then counts as success. */
  done: 0,
  /** Failure, with the reason in the message. */
  failed: 1,
  /** The command line or an environment variable is wrong or missing; nothing was done. */
  usage: 2,
  /** The API does not answer. */
  unreachable: 3,
  /** A token is missing or not accepted. */
  token: 4,
  /** Some lines of a file were not stored, and the others were. */
  incomplete: 5,
  /** Ctrl-C or SIGTERM ended a program before it had finished: 128 plus the number of SIGINT. */
  interrupted: 130,
} as const;

/** The exit codes in help texts. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: "done",
  failed: "failed, for the reason in the message",
  usage: "the command line or an environment variable is wrong or missing",
  unreachable: "the API does not answer",
  token: "a token is missing or not accepted",
  incomplete: "done, except for some lines of the file",
  interrupted: "interrupted before it had finished",
};

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a program with an exit code. The program prints the message. */
export class ExitError extends Error {
  override readonly name: string = "ExitError";
  readonly code: string = "EXIT";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Thrown when the command line or the environment variables can't be meant as they are. */
export class UsageError extends ExitError {
  override readonly name: string = "UsageError";
  override readonly code: string = "USAGE";

  constructor(message: string, options?: ErrorOptions) {
    super(EXIT.usage, message, options);
  }
}

/** Returns the exit code of a program that an error ended. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ExitError) return error.exitCode;
  return error instanceof DatabaseUrlError ? EXIT.usage : EXIT.failed;
}
