import type { Database } from "@synap/database";
import {
  type BegunSession,
  createSignInLink,
  findSignInLink,
  LINK_MINUTES,
  type LinkGrant,
  readSessionToken,
  type SessionToken,
  useSignInLink,
  writeSessionToken,
} from "@synap/database/internal";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import type { Logger } from "pino";
import type { Principal } from "../identity/principal.ts";
import { identityUnavailable } from "../identity/refusals.ts";
import type { SessionPrincipals } from "../identity/session-principals.ts";
import { Problem } from "../problems/problem.ts";
import { replaceSession } from "./replace-session.ts";

/** Links by which browsers begin sessions, each once. */
export interface SignInLinks {
  /** Makes a link for the principal of a key or a token. @throws Problem `key-or-token-needed` */
  create(principal: Principal): Promise<{ readonly link: string; readonly expiresAt: string }>;
  /** Finds what a link would begin, and does not use it up. @throws Problem `sign-in-link-invalid`, `identity-unavailable` */
  find(link: string): Promise<LinkGrant>;
  /**
   * Begins the session of a link, and ends the one that the browser had before, by its cookie.
   *
   * @throws Problem `sign-in-link-invalid`, `identity-unavailable`
   */
  use(link: string, cookie: string | undefined): Promise<BegunSession>;
}

/** Options of {@link createSignInLinks}. */
export interface SignInLinksOptions {
  readonly database: Database;
  /** The secret by which sessions and links are sealed. */
  readonly secret: string;
  readonly sessions: SessionPrincipals;
  readonly logger: Logger;
}

/** Largest number of links that are looked up at a time. Guesses beyond it wait for nothing and cost the database nothing. */
const MAX_LOOKUPS = 50;

/** Creates the links of a database. */
export function createSignInLinks(options: SignInLinksOptions): SignInLinks {
  const { database, secret } = options;
  let lookups = 0;

  /** Looks a link up within the limit. */
  async function lookUp<T>(link: string, find: (token: SessionToken) => Promise<T | undefined>): Promise<T> {
    const token = readSessionToken(link);
    if (token === undefined) throw linkInvalid();
    if (lookups >= MAX_LOOKUPS) throw identityUnavailable("Too many sign-in links are being looked up.");
    lookups += 1;
    try {
      const found = await find(token);
      if (found === undefined) throw linkInvalid();
      return found;
    } finally {
      lookups -= 1;
    }
  }

  return {
    async create({ kind, id: principalId, scopes, credential, expiresAt: endsBefore }) {
      if (credential.kind !== "key" && credential.kind !== "jwt") throw tokenNeeded();
      const origin = `${credential.kind}:${credential.id}`;
      const grant = { kind, principalId, scopes: [...scopes].sort(), origin, endsBefore };
      const { expiresAt, ...token } = await createSignInLink(database, secret, grant);
      return { link: writeSessionToken(token), expiresAt };
    },
    find: (link) => lookUp(link, (token) => findSignInLink(database, secret, token)),
    use: (link, cookie) =>
      replaceSession(options, cookie, (before) =>
        lookUp(link, (token) => useSignInLink(database, secret, token, before)),
      ),
  };
}

/** The problem of a link that does not work. It gives no reason, which could help to guess one. */
function linkInvalid(): Problem {
  return new Problem(
    "sign-in-link-invalid",
    `A link works once, for ${LINK_MINUTES} minutes, and as long as the key behind it is valid: this one was used, has expired, or is not ` +
      `complete. Make a new one: ${SYNAP_COMMAND} sign-in`,
  );
}

function tokenNeeded(): Problem {
  return new Problem(
    "key-or-token-needed",
    "A sign-in link is made with an API key or a JWT. A session can't make one, which would last longer, nor can a request without a credential.",
  );
}
