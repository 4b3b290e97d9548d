import { isProblem, SynapProblem, SynapResponseError, SynapUnreachableError } from "@synap/client";
import { START_COMMAND } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { connectionFault } from "../loading/connection-fault.ts";
import { apiUrl, type CommonOptions, findToken } from "./connection.ts";

/** Converts an error of the client into a message and an exit code; undefined for any other error. */
export function describeApiFailure(error: unknown, options: CommonOptions): ExitError | undefined {
  if (error instanceof ExitError) return error;
  const url = apiUrl(options);
  if (error instanceof SynapUnreachableError) {
    return new ExitError(
      EXIT.unreachable,
      `The API at ${url} can't be reached: ${connectionFault(error.cause)}.\n` +
        `Start Synap with ${START_COMMAND}, or give the address of one that runs with --url or SYNAP_URL.`,
      { cause: error },
    );
  }
  if (error instanceof SynapResponseError) {
    return new ExitError(
      EXIT.failed,
      `${error.message}\nLook at the address (--url, SYNAP_URL) and at the release that runs there.`,
      { cause: error },
    );
  }
  if (isProblem(error, "token-invalid", "token-missing", "scope-missing", "key-or-token-needed")) {
    const { token, source } = findToken(options);
    const what =
      token === undefined
        ? `This needs a token, and there is none at ${source}.\n` +
          "Give it with --token or SYNAP_TOKEN, or name the data directory of a Synap that was started here with\n" +
          `--data: ${START_COMMAND} keeps its key there.`
        : `The API at ${url} does not accept the token from ${source} for this: ${error.problem.detail}`;
    return new ExitError(EXIT.token, what, { cause: error });
  }
  if (error instanceof SynapProblem) {
    // The detail alone: after the title it would say the same a second time.
    return new ExitError(EXIT.failed, error.problem.detail, { cause: error });
  }
  return undefined;
}
