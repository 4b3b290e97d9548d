import type { Database } from "@synap/database";
import { type BegunSession, beginSession, endSession } from "@synap/database/internal";
import type { Logger } from "pino";
import type { SessionCookie } from "../identity/session-cookie.ts";
import type { SessionPrincipals } from "../identity/session-principals.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { replaceSession } from "./replace-session.ts";

/** Signing in at an identity provider, with the session that it begins. */
export interface ProviderSignIn extends Pick<IdentityProvider, "issuer" | "signInUrl" | "begin"> {
  /** The cookie of the transaction. */
  readonly cookie: SessionCookie;
  /**
   * Begins the session of whoever has signed in at the provider, and ends the one that the browser had before, by its cookie.
   *
   * @throws Problem `sign-in-interrupted`, `sign-in-refused`, `identity-unavailable`
   */
  finish(
    query: string,
    cookies: { readonly transaction: string | undefined; readonly session: string | undefined },
  ): Promise<{ readonly session: BegunSession; readonly returnTo: string }>;
}

/** Options of {@link createProviderSignIn}. */
export interface ProviderSignInOptions {
  readonly provider: IdentityProvider;
  readonly database: Database;
  /** The secret by which sessions are sealed. */
  readonly secret: string;
  readonly cookie: SessionCookie;
  readonly sessions: SessionPrincipals;
  readonly logger: Logger;
}

/** Creates signing in at a provider. */
export function createProviderSignIn(options: ProviderSignInOptions): ProviderSignIn {
  const { provider, database, secret, cookie } = options;
  const origin = `oidc:${provider.issuer}`;
  return {
    ...provider,
    cookie,
    async finish(query, cookies) {
      const { holder, returnTo } = await provider.finish(query, cookies.transaction);
      const grant = { kind: holder.kind, principalId: holder.id, scopes: [...holder.scopes].sort(), origin };
      const session = await replaceSession(options, cookies.session, (before) =>
        database.transaction(async (transaction) => {
          if (before !== undefined) await endSession(transaction, before);
          return beginSession(transaction, secret, grant);
        }),
      );
      return { session, returnTo };
    },
  };
}
