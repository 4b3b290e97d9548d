import type { PrincipalKind } from "@synap/types/http";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { Database, SqlSession } from "../connection/sql-session.ts";
import { createKeyToken } from "./key-token.ts";
import { hasLinkSeal, type LinkGrant, type SessionToken, sealLink } from "./session-token.ts";
import { type BegunSession, beginSession, endSession, originRevokedAt } from "./sessions.ts";

/** Minutes for which a sign-in link works. */
export const LINK_MINUTES = 10;

const INSERT = `
INSERT INTO synap.sign_in_links (id, seal, kind, principal_id, scopes, origin, expires_at, ends_before)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::timestamptz, $8::text::timestamptz)`;

const REMOVE_OLD =
  "DELETE FROM synap.sign_in_links WHERE expires_at < clock_timestamp() - interval '1 minute'";

/** A sign-in link as its holder has it: an id and a secret, like those of a session. */
export interface SignInLink extends SessionToken {
  readonly expiresAt: string;
}

/** The principal of a new link, and its origin. */
export interface NewSignInLink extends Omit<LinkGrant, "expiresAt" | "endsBefore"> {
  /** The end of what its maker has shown, in milliseconds since 1970. Neither link nor session lasts longer. */
  readonly endsBefore?: number | undefined;
}

/**
 * Makes a link by which a browser begins a session once, and returns it as its holder has it; that is not stored. Removes links that
 * have expired.
 *
 * @param apiSecret the secret of the API, without which the link is not accepted
 */
export async function createSignInLink(
  database: SqlSession,
  apiSecret: string,
  { endsBefore, ...given }: NewSignInLink,
): Promise<SignInLink> {
  const token = createKeyToken();
  const latest = Date.now() + LINK_MINUTES * 60_000;
  const grant: LinkGrant = {
    ...given,
    expiresAt: new Date(Math.min(latest, endsBefore ?? latest)).toISOString(),
    ...(endsBefore !== undefined && { endsBefore: new Date(endsBefore).toISOString() }),
  };
  const seal = sealLink(apiSecret, token, grant);
  const { kind, principalId, scopes, origin, expiresAt } = grant;
  const row = [
    token.id,
    seal,
    kind,
    principalId,
    scopes.join(" "),
    origin,
    expiresAt,
    grant.endsBefore ?? null,
  ];
  await database.query(REMOVE_OLD);
  await database.query(INSERT, row);
  return { ...token, expiresAt };
}

const FIND = `
SELECT kind, principal_id, scopes, origin, seal, ${epochMs("expires_at")} AS expires_at,
       ${epochMs("ends_before")} AS ends_before, ${originRevokedAt("l")} IS NOT NULL AS is_revoked
  FROM synap.sign_in_links AS l WHERE id = $1`;

/**
 * Finds what a link would begin, and does not use it up. Undefined if it does not work: it was used, has expired, is none of this API, or
 * its key was revoked.
 */
export async function findSignInLink(
  session: SqlSession,
  apiSecret: string,
  token: SessionToken,
): Promise<LinkGrant | undefined> {
  const [row] = await session.query<LinkRow>(FIND, [token.id]);
  if (row === undefined || row.is_revoked) return undefined;
  const grant = linkGrant(row);
  const works = hasLinkSeal(row.seal, apiSecret, token, grant) && Date.parse(grant.expiresAt) > Date.now();
  return works ? grant : undefined;
}

const USE = "DELETE FROM synap.sign_in_links WHERE id = $1 RETURNING id";

/**
 * Begins the session of a link. Of several attempts, also at the same moment, one succeeds; undefined for the others, and where
 * {@link findSignInLink} finds nothing.
 *
 * @param ends the session that the browser had before, which ends
 */
export async function useSignInLink(
  database: Database,
  apiSecret: string,
  token: SessionToken,
  ends?: string,
): Promise<BegunSession | undefined> {
  return database.transaction(async (transaction) => {
    const grant = await findSignInLink(transaction, apiSecret, token);
    // Who deletes a row first has it; the others wait, and find none.
    if (grant === undefined || (await transaction.query(USE, [token.id])).length === 0) return undefined;
    const { expiresAt: _, endsBefore, ...given } = grant;
    if (ends !== undefined) await endSession(transaction, ends);
    return beginSession(transaction, apiSecret, {
      ...given,
      ...(endsBefore !== undefined && { endsBefore: Date.parse(endsBefore) }),
    });
  });
}

interface LinkRow {
  readonly kind: PrincipalKind;
  readonly principal_id: string;
  readonly scopes: string;
  readonly origin: string;
  readonly seal: string;
  readonly expires_at: number;
  readonly ends_before: number | null;
  readonly is_revoked: boolean;
}

function linkGrant({ kind, scopes, origin, ...row }: LinkRow): LinkGrant {
  return {
    kind,
    principalId: row.principal_id,
    scopes: scopes.split(" ").filter((scope) => scope !== ""),
    origin,
    expiresAt: isoFromEpoch(row.expires_at),
    ...(row.ends_before !== null && { endsBefore: isoFromEpoch(row.ends_before) }),
  };
}
