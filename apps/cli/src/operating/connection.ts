import { userInfo } from "node:os";
import { resolve } from "node:path";
import { type CatalogueTypes, createSynapClient, type SynapClient } from "@synap/client";
import { isLoopback } from "@synap/http";
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
      new Option("--token <token>", "the API key, or another token")
        .env("SYNAP_TOKEN")
        .default(undefined, "the one in the data directory"),
    )
    .addOption(dataOption("data directory with the key that start has made"))
    .addOption(
      new Option("--as <name>", "your name, recorded with your actions").default(undefined, "your login"),
    )
    .option("--json", "print JSON, for programs", false);
}

/** Creates a client of the API that a command's options name. It does not retry, because a person waits. */
export function connect(options: CommonOptions): Api {
  const { token, isShared } = findToken(options);
  // Everybody on this machine has the key in the data directory; another token says by itself whose it is.
  const actor = options.as ?? (isShared ? login() : undefined);
  return createSynapClient<CatalogueTypes>({
    url: apiUrl(options),
    ...(token !== undefined && { token }),
    ...(actor !== undefined && { actor }),
    retry: { attempts: 1 },
    timeoutMs: TIMEOUT_MS,
  });
}

/** The API's URL without a trailing slash. */
export function apiUrl({ url }: CommonOptions): string {
  return url.replace(/\/+$/, "");
}

/** The token of a command. */
export interface FoundToken {
  readonly token: string | undefined;
  /** The option or file that it comes from, or the path at which there is none. */
  readonly source: string;
  /** True for the key in the data directory. */
  readonly isShared: boolean;
}

/** Finds the token of a command. The key in the data directory is for the API of this machine, and sent to no other. */
export function findToken({ token, data, url }: Pick<CommonOptions, "token" | "data" | "url">): FoundToken {
  if (token !== undefined && token !== "")
    return { token, source: "--token or SYNAP_TOKEN", isShared: false };
  const directory = resolve(data);
  const kept = isLoopback(new URL(url).hostname) ? readToken(directory, "api-key") : undefined;
  return { token: kept, source: tokenPath(directory, "api-key"), isShared: kept !== undefined };
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
