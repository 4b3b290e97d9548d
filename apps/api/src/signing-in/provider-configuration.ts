import { ConfigurationError, variable } from "@synap/service";
import type { IdentityConfiguration } from "../identity/identity-configuration.ts";
import { isTamperProof } from "../identity/issuer-keys.ts";
import type { TokenConfiguration } from "../identity/token-configuration.ts";

/** The environment variables of signing in at an identity provider, and of the address that browsers know. */
export const providerVariables = {
  SYNAP_PUBLIC_URL: variable.httpUrl
    .refine(isTamperProof, "must be an https URL, or one of this machine")
    .refine((url) => new URL(url).href === `${new URL(url).origin}/`, "must have no path")
    .transform((url) => new URL(url).origin)
    .optional(),
  SYNAP_OIDC_CLIENT_ID: variable.text.optional(),
  SYNAP_OIDC_CLIENT_SECRET: variable.text.optional(),
  SYNAP_OIDC_SCOPES: variable.text.default("openid"),
};

/** The identity provider at which people sign in (OpenID Connect). It is the issuer of the JWTs, and its roles mean the same. */
export interface ProviderConfiguration extends Pick<TokenConfiguration, "issuer" | "roles" | "rolesClaim"> {
  /** The API as a client of the provider (SYNAP_OIDC_CLIENT_ID)... */
  readonly clientId: string;
  /** ...and its secret (SYNAP_OIDC_CLIENT_SECRET); undefined for a public client. */
  readonly clientSecret?: string | undefined;
  /** The address to which the provider sends the browser back: SYNAP_PUBLIC_URL and `/sign-in/callback`. */
  readonly redirectUri: string;
  /** The scopes to ask for, separated by spaces (SYNAP_OIDC_SCOPES, default `openid`). */
  readonly scope: string;
}

interface ProviderVariables {
  readonly SYNAP_PUBLIC_URL?: string | undefined;
  readonly SYNAP_OIDC_CLIENT_ID?: string | undefined;
  readonly SYNAP_OIDC_CLIENT_SECRET?: string | undefined;
  readonly SYNAP_OIDC_SCOPES: string;
}

/**
 * Reads at which identity provider people sign in; undefined for none.
 *
 * @throws ConfigurationError that names what is missing
 */
export function readProvider(
  read: ProviderVariables,
  { tokens, sessionSecret }: Pick<IdentityConfiguration, "tokens" | "sessionSecret">,
): ProviderConfiguration | undefined {
  const { SYNAP_OIDC_CLIENT_ID: clientId, SYNAP_OIDC_CLIENT_SECRET: clientSecret } = read;
  const { SYNAP_PUBLIC_URL: publicUrl, SYNAP_OIDC_SCOPES: scope } = read;
  if (clientId === undefined && clientSecret === undefined) return undefined;
  const missing = Object.entries({
    SYNAP_OIDC_CLIENT_ID: clientId,
    SYNAP_JWT_ISSUER: tokens?.issuer,
    SYNAP_PUBLIC_URL: publicUrl,
    SYNAP_SESSION_SECRET: sessionSecret,
  }).flatMap(([name, value]) => (value === undefined ? [name] : []));
  if (clientId === undefined || tokens === undefined || publicUrl === undefined || missing.length > 0)
    throw new ConfigurationError(
      `Signing in at an identity provider needs ${missing.join(", ")} too: the issuer with SYNAP_JWT_AUDIENCE, and the address of this API as ` +
        "browsers know it.",
    );
  if (tokens.secret !== undefined || !URL.canParse(tokens.issuer) || !isTamperProof(tokens.issuer))
    throw new ConfigurationError(
      "Signing in needs an identity provider: SYNAP_JWT_ISSUER must be its https URL, and SYNAP_JWT_SECRET must not be set.",
    );
  if (!scope.split(" ").includes("openid"))
    throw new ConfigurationError("SYNAP_OIDC_SCOPES must contain openid.");
  const { issuer, roles, rolesClaim } = tokens;
  return {
    issuer,
    roles,
    rolesClaim,
    clientId,
    clientSecret,
    redirectUri: `${publicUrl}/sign-in/callback`,
    scope,
  };
}
