import { userInfo } from "node:os";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { readToken, tokenPath } from "../data-directory/kept-token.ts";
import { urlOption } from "../terminal/command.ts";
import { ApiClient } from "./api-client.ts";

/** What every command understands. */
export interface CommonOptions {
  readonly url: string;
  readonly token?: string;
  readonly data: string;
  readonly as?: string;
  readonly json: boolean;
}

/** Gives the program the options that every command has. */
export function addCommonOptions(program: Command): void {
  program
    .addOption(
      new Option("--url <url>", "address of Synap's API")
        .env("SYNAP_URL")
        .argParser(urlOption)
        .default("http://127.0.0.1:3400"),
    )
    .addOption(new Option("--token <token>", "the admin token").env("SYNAP_ADMIN_TOKEN"))
    .addOption(
      new Option("--data <dir>", "data directory with the token that start has made")
        .env("SYNAP_DATA_DIR")
        .default(".synap"),
    )
    .option("--as <name>", "your name, kept with what you decide (default: your login)")
    .option("--json", "answer as JSON, for programs", false);
}

/** The way to the API that a command's options name. */
export function connect({ url, token, data, as }: CommonOptions): ApiClient {
  const directory = resolve(data);
  const isGiven = token !== undefined && token !== "";
  return new ApiClient({
    url: url.replace(/\/+$/, ""),
    token: isGiven ? token : readToken(directory, "admin-token"),
    tokenSource: isGiven ? "--token or SYNAP_ADMIN_TOKEN" : tokenPath(directory, "admin-token"),
    actor: as ?? login(),
  });
}

/** The login at this machine, if it can stand in a header. */
function login(): string | undefined {
  try {
    const { username } = userInfo();
    return /^[\x21-\x7e]{1,128}$/.test(username) ? username : undefined;
  } catch {
    // Containers may run under a number that has no name.
    return undefined;
  }
}
