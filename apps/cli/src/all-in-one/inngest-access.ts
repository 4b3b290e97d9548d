import type { InngestKeys } from "@synap/inngest-local";
import { loadOrCreateToken } from "../data-directory/kept-token.ts";
import type { InngestChoice } from "./inngest.ts";

/** Options of the Inngest clients of the API and the worker. */
export interface InngestAccess {
  readonly baseUrl: string;
  /** No signatures and keys, as with Inngest's dev server. */
  readonly isDev: boolean;
  readonly eventKey?: string;
  readonly signingKey?: string;
}

/**
 * Reads the keys that API, worker and local broker share: from the environment, or from the data directory, where they are
 * created on first use.
 */
export function brokerKeys(directory: string, environment: NodeJS.ProcessEnv): InngestKeys {
  const signingKey =
    environment["INNGEST_SIGNING_KEY"] || loadOrCreateToken(directory, "inngest-signing-key");
  return {
    signingKey,
    eventKeys: [environment["INNGEST_EVENT_KEY"] || loadOrCreateToken(directory, "inngest-event-key")],
  };
}

/**
 * Client options for the chosen Inngest. The local broker always has keys and the dev server never has; a server
 * that runs elsewhere has them when INNGEST_SIGNING_KEY is set.
 */
export function inngestAccess(
  choice: InngestChoice,
  baseUrl: string,
  keys: InngestKeys,
  environment: NodeJS.ProcessEnv,
): InngestAccess {
  if (choice === "local") {
    const [eventKey = ""] = keys.eventKeys;
    return { baseUrl, isDev: false, eventKey, signingKey: keys.signingKey };
  }
  return { baseUrl, isDev: choice === "dev-server" || !environment["INNGEST_SIGNING_KEY"] };
}
