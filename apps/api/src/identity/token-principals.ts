import { hashSecret } from "@synap/database/internal";
import { DEFAULT_SCOPES, type PrincipalKind, principalFault, type Scope } from "@synap/types/http";
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Logger } from "pino";
import { createIssuerKeys, IssuerUnavailableError } from "./issuer-keys.ts";
import { makeRoom } from "./make-room.ts";
import type { Principal } from "./principal.ts";
import { identityUnavailable, tokenInvalid } from "./refusals.ts";
import type { TokenConfiguration } from "./token-configuration.ts";

/** Principals of JWTs. */
export interface TokenPrincipals {
  /** @throws Problem `token-invalid`, `identity-unavailable` */
  principalOf(token: string): Principal | Promise<Principal>;
}

/** Algorithms with a public key. With a secret, HS256 is the only one: nothing that is public may be used as a secret. */
const PUBLIC_KEY_ALGORITHMS = ["RS256", "ES256", "EdDSA"];

/** Allowed difference of the clocks, in seconds. */
const SKEW_SECONDS = 30;

/** Time for which a verified token is not verified again, so that a key that its issuer withdraws is not used for long. */
const VERIFIED_MS = 20_000;
/** Largest number of verified tokens that are known, each by its hash. */
const MAX_VERIFIED = 20_000;
/** Longest id of a token that is kept, in characters. A claim may be as long as a token. */
const MAX_TOKEN_ID = 200;

/** Types of tokens that permit access. Others, such as `logout+jwt`, are signed with the same keys for other purposes. */
const TYPES: ReadonlySet<string> = new Set(["jwt", "at+jwt", "application/at+jwt"]);

interface Verified {
  readonly principal: Principal;
  readonly until: number;
}

/** Creates the principals of JWTs. */
export function createTokenPrincipals(
  configuration: TokenConfiguration,
  logger: Logger,
  now: () => number = () => performance.now(),
): TokenPrincipals {
  const { issuer, audience, secret } = configuration;
  const key: Uint8Array | JWTVerifyGetKey =
    secret === undefined
      ? createIssuerKeys({ issuer, jwksUrl: configuration.jwksUrl, logger, now })
      : new TextEncoder().encode(secret);
  const options = {
    issuer,
    audience,
    algorithms: secret === undefined ? PUBLIC_KEY_ALGORITHMS : ["HS256"],
    clockTolerance: SKEW_SECONDS,
    requiredClaims: ["exp", "sub"],
  };
  const verified = new Map<string, Verified>();

  async function verify(token: string, hash: string): Promise<Principal> {
    const { payload, protectedHeader } = await (typeof key === "function"
      ? jwtVerify(token, key, options)
      : jwtVerify(token, key, options)
    ).catch((error: unknown) => refuse(error, logger));
    const { typ = "JWT" } = protectedHeader;
    if (typeof typ !== "string" || !TYPES.has(typ.toLowerCase()))
      throw tokenInvalid("The token is not an access token.");
    const principal = principalOfClaims(payload, configuration);
    verified.delete(hash);
    makeRoom(verified, MAX_VERIFIED).set(hash, { principal, until: now() + VERIFIED_MS });
    return principal;
  }

  return {
    principalOf(token) {
      const hash = hashSecret(token);
      const found = verified.get(hash);
      if (found === undefined || now() >= found.until || hasExpired(found.principal))
        return verify(token, hash);
      return found.principal;
    },
  };
}

function hasExpired({ expiresAt = Number.POSITIVE_INFINITY }: Principal): boolean {
  return expiresAt <= Date.now();
}

/** Maps the fault of a token to a problem that says no more than its holder needs. */
function refuse(cause: unknown, logger: Logger): never {
  if (cause instanceof IssuerUnavailableError) throw identityUnavailable(cause.message, cause);
  if (cause instanceof errors.JWTExpired) throw tokenInvalid("The token has expired.");
  if (cause instanceof errors.JWTClaimValidationFailed)
    throw tokenInvalid(`The claim "${cause.claim}" of the token is missing or not the expected one.`);
  // A key that the issuer publishes and that can't be used, such as one of 1,024 bits, is no fault of this process.
  if (!(cause instanceof errors.JOSEError)) logger.warn({ err: cause }, "a key of the issuer can't be used");
  throw tokenInvalid("The token is not one that this API accepts.");
}

function principalOfClaims(payload: JWTPayload, configuration: TokenConfiguration): Principal {
  const { sub = "", jti, exp = 0 } = payload;
  return {
    ...holderOfClaims(payload, configuration),
    expiresAt: exp * 1_000,
    credential: { kind: "jwt", id: typeof jti === "string" && jti.length <= MAX_TOKEN_ID ? jti : sub },
  };
}

/** The holder of a token by its claims, with the kind and the scopes of its roles. @throws Problem `token-invalid` */
export function holderOfClaims(
  payload: JWTPayload,
  { rolesClaim, roles }: Pick<TokenConfiguration, "rolesClaim" | "roles">,
): Pick<Principal, "kind" | "id" | "scopes"> {
  const { sub = "" } = payload;
  const named = rolesIn(payload, rolesClaim);
  const held = Object.entries(roles).flatMap(([name, role]) => (named.has(name) ? [role] : []));
  const kind: PrincipalKind = held[0]?.kind ?? "user";
  const granted: readonly Scope[] =
    held.length === 0
      ? DEFAULT_SCOPES[kind]
      : held.flatMap((role) => role.scopes ?? DEFAULT_SCOPES[role.kind]);
  const fault = typeof sub === "string" ? principalFault(kind, sub) : "must be text";
  if (fault !== undefined) throw tokenInvalid(`The claim "sub" of the token ${fault}.`);
  return { kind, id: sub, scopes: new Set(granted) };
}

/** The names in a claim, which may be inside of another one (`realm_access.roles`): a list, or text separated by spaces. */
function rolesIn(payload: JWTPayload, claim: string): ReadonlySet<string> {
  let value: unknown = payload;
  for (const name of Object.hasOwn(payload, claim) ? [claim] : claim.split("."))
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, name)
        ? Reflect.get(value, name)
        : undefined;
  if (typeof value === "string") return new Set(value.split(" "));
  return new Set(Array.isArray(value) ? value.filter((role) => typeof role === "string") : []);
}
