import { ConfigurationError, variable } from "@synap/service";
import { DEFAULT_SCOPES, isPrincipalKind, isScope, type PrincipalKind, type Scope } from "@synap/types/http";
import { z } from "zod";
import { isTamperProof } from "./issuer-keys.ts";

const httpsUrl = variable.httpUrl.refine(isTamperProof, "must be an https URL, or one of this machine");

const role = z.strictObject({
  kind: z.string().refine(isPrincipalKind, `must be one of ${Object.keys(DEFAULT_SCOPES).join(", ")}`),
  scopes: z.array(z.string().refine(isScope, "must be the name of a scope")).optional(),
});

/** The environment variables of JWTs. */
export const tokenVariables = {
  SYNAP_JWT_ISSUER: variable.text.optional(),
  SYNAP_JWT_AUDIENCE: variable.text.optional(),
  SYNAP_JWT_JWKS_URL: httpsUrl.optional(),
  SYNAP_JWT_SECRET: z.string().min(32, "must have at least 32 characters").optional(),
  SYNAP_JWT_ROLES_CLAIM: variable.text.default("roles"),
  SYNAP_JWT_ROLES: z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: "custom", message: "must be JSON" });
        return z.NEVER;
      }
    })
    .pipe(z.record(z.string(), role))
    .optional(),
};

/** A role in tokens, and what it makes of their holders. */
export interface TokenRole {
  readonly kind: PrincipalKind;
  /** Default: those of the kind. */
  readonly scopes?: readonly Scope[] | undefined;
}

/** The JWTs that are accepted, and what they permit. */
export interface TokenConfiguration {
  /** Exact value of `iss` (SYNAP_JWT_ISSUER). Without `jwksUrl` and `secret`, its configuration document names the keys. */
  readonly issuer: string;
  /** Value that `aud` has to contain (SYNAP_JWT_AUDIENCE). */
  readonly audience: string;
  /** Address of the issuer's public keys (SYNAP_JWT_JWKS_URL). */
  readonly jwksUrl?: string | undefined;
  /** The secret of HS256 (SYNAP_JWT_SECRET, at least 32 characters). No other algorithm is accepted then. */
  readonly secret?: string | undefined;
  /** The claim with the roles (SYNAP_JWT_ROLES_CLAIM, default `roles`). */
  readonly rolesClaim: string;
  /** Kind and scopes by role (SYNAP_JWT_ROLES, as JSON). Whoever has none of them is a `user`. */
  readonly roles: Readonly<Record<string, TokenRole>>;
}

/** The values of the environment variables of JWTs. */
export interface TokenVariables {
  readonly SYNAP_JWT_ISSUER?: string | undefined;
  readonly SYNAP_JWT_AUDIENCE?: string | undefined;
  readonly SYNAP_JWT_JWKS_URL?: string | undefined;
  readonly SYNAP_JWT_SECRET?: string | undefined;
  readonly SYNAP_JWT_ROLES_CLAIM: string;
  readonly SYNAP_JWT_ROLES?: Readonly<Record<string, TokenRole>> | undefined;
}

/** Reads which JWTs are accepted; undefined for none. @throws ConfigurationError */
export function readTokenConfiguration(read: TokenVariables): TokenConfiguration | undefined {
  const { SYNAP_JWT_ISSUER: issuer, SYNAP_JWT_AUDIENCE: audience } = read;
  const { SYNAP_JWT_JWKS_URL: jwksUrl, SYNAP_JWT_SECRET: secret, SYNAP_JWT_ROLES: roles } = read;
  if ([issuer, audience, jwksUrl, secret, roles].every((each) => each === undefined)) return undefined;
  if (issuer === undefined || audience === undefined)
    throw new ConfigurationError(
      "JWTs need both SYNAP_JWT_ISSUER and SYNAP_JWT_AUDIENCE: tokens for others must not be accepted.",
    );
  if (secret !== undefined && jwksUrl !== undefined)
    throw new ConfigurationError("Set either SYNAP_JWT_SECRET or SYNAP_JWT_JWKS_URL, not both.");
  if (secret === undefined && jwksUrl === undefined && !(URL.canParse(issuer) && isTamperProof(issuer)))
    throw new ConfigurationError(
      "SYNAP_JWT_ISSUER must be an https URL, or SYNAP_JWT_JWKS_URL must name its keys.",
    );
  return { issuer, audience, jwksUrl, secret, rolesClaim: read.SYNAP_JWT_ROLES_CLAIM, roles: roles ?? {} };
}
