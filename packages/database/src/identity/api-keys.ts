import type { PrincipalKind } from "@synap/types/http";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { Database, SqlSession } from "../connection/sql-session.ts";
import { hashSecret, type KeyToken } from "./key-token.ts";

/** The principal and the scopes of an API key. */
export interface ApiKeyGrant {
  /** A name for people: where the key is used. */
  readonly name: string;
  readonly kind: PrincipalKind;
  /** Id of the principal that the key identifies. Several keys may identify the same. */
  readonly principalId: string;
  readonly scopes: readonly string[];
  /** RFC 3339; absent for a key that does not expire. */
  readonly expiresAt?: string;
}

/** An API key in the database, without its secret. Moments are RFC 3339. */
export interface ApiKey extends ApiKeyGrant {
  readonly id: string;
  readonly createdAt: string;
  readonly revokedAt?: string;
  /** Accurate to a minute. */
  readonly lastUsedAt?: string;
}

/** An API key with the hash of its secret. */
export interface StoredApiKey extends ApiKey {
  readonly secretHash: string;
}

const COLUMNS = `
       id, name, kind, principal_id, scopes, secret_hash,
       ${epochMs("created_at")} AS created_at, ${epochMs("expires_at")} AS expires_at,
       ${epochMs("revoked_at")} AS revoked_at, ${epochMs("last_used_at")} AS last_used_at`;

const INSERT = `
INSERT INTO synap.api_keys (id, secret_hash, name, kind, principal_id, scopes, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::timestamptz)
ON CONFLICT (id) DO NOTHING`;

/** Stores an API key, as the owner of the schema. One with the same id stays as it is. */
export async function createApiKey(
  database: Pick<Database, "asOwner">,
  key: KeyToken,
  grant: ApiKeyGrant,
): Promise<void> {
  const { name, kind, principalId, scopes, expiresAt = null } = grant;
  const hash = hashSecret(key.secret);
  const row = [key.id, hash, name, kind, principalId, scopes.join(" "), expiresAt];
  await database.asOwner((owner) => owner.query(INSERT, row));
}

const FIND = `SELECT ${COLUMNS} FROM synap.api_keys WHERE id = $1`;

/** Reads an API key by its id, whether it is still valid or not. */
export async function findApiKey(session: SqlSession, id: string): Promise<StoredApiKey | undefined> {
  const [row] = await session.query<ApiKeyRow>(FIND, [id]);
  return row === undefined ? undefined : storedKey(row);
}

const PAGE = `
SELECT ${COLUMNS}
  FROM synap.api_keys
 WHERE $1::text IS NULL OR (created_at, id) < (SELECT k.created_at, k.id FROM synap.api_keys AS k WHERE k.id = $1::text)
 ORDER BY api_keys.created_at DESC, id DESC
 LIMIT $2`;

const PAGE_SIZE = 1_000;

/** Reads all API keys, the newest first, a page at a time. */
export async function* listApiKeys(session: SqlSession): AsyncGenerator<ApiKey, void, void> {
  for (let after: string | null = null; ; ) {
    const rows: readonly ApiKeyRow[] = await session.query<ApiKeyRow>(PAGE, [after, PAGE_SIZE]);
    for (const row of rows) {
      const { secretHash: _, ...key } = storedKey(row);
      yield key;
    }
    after = rows.at(-1)?.id ?? null;
    if (rows.length < PAGE_SIZE) return;
  }
}

/** Revokes the API key with the id $1, and ends its sessions. Their origin is compared with the parameter, so that the index finds them. */
export const REVOKE = `
WITH revoked AS (
  UPDATE synap.api_keys SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL RETURNING id
), ended AS (
  UPDATE synap.sessions AS s SET revoked_at = clock_timestamp()
    FROM revoked WHERE s.origin = 'key:' || $1 AND s.revoked_at IS NULL
)
SELECT id FROM revoked`;

/**
 * Revokes an API key and ends the sessions that were begun with it, as the owner of the schema. Returns false when there is none
 * with this id, or it is revoked already.
 */
export async function revokeApiKey(database: Pick<Database, "asOwner">, id: string): Promise<boolean> {
  return (await database.asOwner((owner) => owner.query(REVOKE, [id]))).length > 0;
}

const USE = `
UPDATE synap.api_keys SET last_used_at = clock_timestamp()
 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')`;

/** Records that an API key was used, unless that was recorded less than a minute ago. */
export async function recordApiKeyUse(session: SqlSession, id: string): Promise<void> {
  await session.query(USE, [id]);
}

interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly kind: PrincipalKind;
  readonly principal_id: string;
  readonly scopes: string;
  readonly secret_hash: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly last_used_at: number | null;
}

function storedKey(row: ApiKeyRow): StoredApiKey {
  const { expires_at: expires, revoked_at: revoked, last_used_at: used } = row;
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    principalId: row.principal_id,
    scopes: row.scopes.split(" ").filter((scope) => scope !== ""),
    secretHash: row.secret_hash,
    createdAt: isoFromEpoch(row.created_at),
    ...(expires !== null && { expiresAt: isoFromEpoch(expires) }),
    ...(revoked !== null && { revokedAt: isoFromEpoch(revoked) }),
    ...(used !== null && { lastUsedAt: isoFromEpoch(used) }),
  };
}
