/** Exit codes of `synap`. The numbers never change: scripts depend on them. */
export const EXIT = {
  /** Success. Ctrl-C out of a tail counts as success. */
  done: 0,
  /** Failure, with the reason in the message. */
  refused: 1,
  /** The command was not understood. */
  usage: 2,
  /** The API does not answer. */
  unreachable: 3,
  /** The admin token is missing or not accepted. */
  token: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit codes at the end of every help page. */
export const EXIT_HELP = `
Exit codes: 0 done, 1 refused or failed again, 2 command not understood, 3 API not reachable,
4 token missing or wrong.`;
