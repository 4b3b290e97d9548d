import { createHmac, timingSafeEqual } from "node:crypto";
import type { PrincipalKind } from "@synap/types/http";
import type { KeyToken } from "./key-token.ts";

/** A session as its holder has it: an id and a secret, like those of a key. */
export type SessionToken = KeyToken;

const FORM = /^([0-9a-f]{12})_([0-9a-f]{64})$/;

/** Writes a session as text, for a cookie. */
export function writeSessionToken({ id, secret }: SessionToken): string {
  return `${id}_${secret}`;
}

/** Reads a session from text; undefined when it has another form. */
export function readSessionToken(text: string): SessionToken | undefined {
  const [, id, secret] = FORM.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** The facts of a session that can't change. Moments are RFC 3339. */
export interface SessionGrant {
  readonly kind: PrincipalKind;
  readonly principalId: string;
  readonly scopes: readonly string[];
  /** The credential that its holder has shown: `key:<id>`, `jwt:<id>` or `oidc:<issuer>`. */
  readonly origin: string;
  /** The moment at which it ends, however much it is used. */
  readonly endsAt: string;
}

/** The facts of a sign-in link that can't change. */
export interface LinkGrant extends Omit<SessionGrant, "endsAt"> {
  /** The moment from which it is not accepted any more. */
  readonly expiresAt: string;
  /** The end of what its maker has shown, and so of the session; absent if that does not expire. */
  readonly endsBefore?: string;
}

/**
 * Seals a session: only who knows the API's secret and that of the session can make the seal. So a row of the table is neither
 * enough to use a session, nor can it be made or changed by someone who can write the table.
 */
export function sealSession(apiSecret: string, token: SessionToken, grant: SessionGrant): string {
  const { kind, principalId, scopes, origin, endsAt } = grant;
  return seal(apiSecret, [token.id, token.secret, kind, principalId, scopes, origin, endsAt]);
}

/** Seals a sign-in link, likewise. No seal of a link is one of a session. */
export function sealLink(apiSecret: string, token: SessionToken, grant: LinkGrant): string {
  const { kind, principalId, scopes, origin, expiresAt, endsBefore = null } = grant;
  const facts = [token.id, token.secret, kind, principalId, scopes, origin, expiresAt, endsBefore];
  return seal(apiSecret, ["sign-in link", ...facts]);
}

function seal(apiSecret: string, facts: readonly unknown[]): string {
  return createHmac("sha256", apiSecret).update(JSON.stringify(facts)).digest("hex");
}

/** Compares the seal of a session with the one that it must have, in constant time. */
export function hasSeal(given: string, apiSecret: string, token: SessionToken, grant: SessionGrant): boolean {
  return isSeal(given, sealSession(apiSecret, token, grant));
}

/** Compares the seal of a sign-in link with the one that it must have, in constant time. */
export function hasLinkSeal(
  given: string,
  apiSecret: string,
  token: SessionToken,
  grant: LinkGrant,
): boolean {
  return isSeal(given, sealLink(apiSecret, token, grant));
}

function isSeal(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
