import { userInfo } from "node:os";
import { resolve } from "node:path";
import { type CatalogueTypes, createSynapClient, type SynapClient } from "@synap/client";
import { START_COMMAND } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { type Command, Option } from "commander";
import { readToken, tokenPath } from "../data-directory/kept-token.ts";
import { dataOption, urlOption } from "../terminal/command.ts";

/** Options of every command. */
export interface CommonOptions {
  readonly url: string;
  readonly token?: string;
  readonly data: string;
  readonly as?: string;
  readonly json: boolean;
}

/** A client of an API whose event types are unknown at compile time. */
export type Api = SynapClient<CatalogueTypes>;

/** Timeout of a request, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** Adds the options of every command. */
export function addCommonOptions(program: Command): void {
  program
    .addOption(
      new Option("--url <url>", "address of Synap's API")
        .env("SYNAP_URL")
        .argParser(urlOption)
        .default("http://127.0.0.1:3400"),
    )
    .addOption(
      new Option("--token <token>", "the admin token")
        .env("SYNAP_ADMIN_TOKEN")
        .default(undefined, "the one in the data directory"),
    )
    .addOption(dataOption("data directory with the token that start has made"))
    .addOption(
      new Option("--as <name>", "your name, recorded with your actions").default(undefined, "your login"),
    )
    .option("--json", "print JSON, for programs", false);
}

/** Creates a client of the API that a command's options name. It does not retry, because a person waits. */
export function connect(options: CommonOptions): Api {
  const { token, source } = findToken(options);
  const actor = options.as ?? login();
  const api: Api = createSynapClient<CatalogueTypes>({
    url: apiUrl(options),
    adminToken: async () => {
      if (token !== undefined) return token;
      // Without a running process there is no token, so the missing process is reported first.
      await api.health();
      throw new ExitError(
        EXIT.token,
        `This needs the admin token, and there is none at ${source}.\n` +
          "Give it with --token or SYNAP_ADMIN_TOKEN, or name the data directory of a Synap that was started here\n" +
          `with --data: ${START_COMMAND} keeps its token there.`,
      );
    },
    ...(actor !== undefined && { actor }),
    retry: { attempts: 1 },
    timeoutMs: TIMEOUT_MS,
  });
  return api;
}

/** The API's URL without a trailing slash. */
export function apiUrl({ url }: CommonOptions): string {
  return url.replace(/\/+$/, "");
}

/** Finds the admin token, with its source or the path at which there is none. */
export function findToken({ token, data }: CommonOptions): {
  readonly token: string | undefined;
  readonly source: string;
} {
  if (token !== undefined && token !== "") return { token, source: "--token or SYNAP_ADMIN_TOKEN" };
  const directory = resolve(data);
  return { token: readToken(directory, "admin-token"), source: tokenPath(directory, "admin-token") };
}

/** Returns the user's login name if it is valid in a header. */
function login(): string | undefined {
  try {
    const { username } = userInfo();
    return /^[\x21-\x7e]{1,128}$/.test(username) ? username : undefined;
  } catch {
    // The user id of a container may have no name.
    return undefined;
  }
}
