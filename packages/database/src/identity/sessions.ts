import type { PrincipalKind } from "@synap/types/http";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { createKeyToken } from "./key-token.ts";
import { type SessionGrant, type SessionToken, sealSession } from "./session-token.ts";

/** A session in the database, without what would be needed to use it. Moments are RFC 3339. */
export interface Session extends SessionGrant {
  readonly id: string;
  readonly createdAt: string;
  /** Accurate to a minute. */
  readonly lastUsedAt: string;
  /** The moment at which it ends unless it is used before. */
  readonly idleEndsAt: string;
  readonly revokedAt?: string;
}

/** A session with its seal. */
export interface StoredSession extends Session {
  readonly seal: string;
}

/** Hours after which a session ends that is not used. */
export const SESSION_IDLE_HOURS = 8;

/** Hours after which every session ends: what its holder has shown may not hold any more. */
export const SESSION_HOURS = 24;

/** Days for which ended sessions stay, as the record of who had access. */
const KEPT_DAYS = 30;

const HOUR_MS = 3_600_000;

const COLUMNS = `
       id, kind, principal_id, scopes, origin, seal,
       ${epochMs("created_at")} AS created_at, ${epochMs("last_used_at")} AS last_used_at,
       ${epochMs("idle_ends_at")} AS idle_ends_at, ${epochMs("ends_at")} AS ends_at,
       ${epochMs(`coalesce(revoked_at, ${originRevokedAt("sessions")})`)} AS revoked_at`;

const INSERT = `
INSERT INTO synap.sessions (id, seal, kind, principal_id, scopes, origin, ends_at, idle_ends_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::timestamptz,
        least($7::text::timestamptz, clock_timestamp() + interval '${SESSION_IDLE_HOURS} hours'))`;

const REMOVE_OLD = `
DELETE FROM synap.sessions WHERE ends_at < clock_timestamp() - interval '${KEPT_DAYS} days'`;

/**
 * SQL for the moment at which the API key behind a row was revoked; null if it is valid, or there is none. Looked up with the row, because
 * a session may begin in the moment in which its key is revoked.
 */
export function originRevokedAt(table: string): string {
  const isOfKey = `left(${table}.origin, 4) = 'key:' AND k.id = substr(${table}.origin, 5)`;
  return `(SELECT k.revoked_at FROM synap.api_keys AS k WHERE ${isOfKey})`;
}

/** The principal of a new session, and its origin. */
export interface NewSession extends Omit<SessionGrant, "endsAt"> {
  /** The end of what its holder has shown, if that is earlier, in milliseconds since 1970. */
  readonly endsBefore?: number | undefined;
}

/** A session as its holder has it, and its end. */
export type BegunSession = SessionToken & Pick<SessionGrant, "endsAt">;

/**
 * Begins a session, and returns it as its holder has it; that is not stored. Removes sessions that ended long ago.
 *
 * @param apiSecret the secret of the API, without which the session is not accepted
 */
export async function beginSession(
  database: SqlSession,
  apiSecret: string,
  { endsBefore = Number.POSITIVE_INFINITY, ...given }: NewSession,
): Promise<BegunSession> {
  const token = createKeyToken();
  const endsAt = new Date(Math.min(Date.now() + SESSION_HOURS * HOUR_MS, endsBefore)).toISOString();
  const grant: SessionGrant = { ...given, endsAt };
  const seal = sealSession(apiSecret, token, grant);
  const { kind, principalId, scopes, origin } = grant;
  await database.query(REMOVE_OLD);
  await database.query(INSERT, [token.id, seal, kind, principalId, scopes.join(" "), origin, endsAt]);
  return { ...token, endsAt };
}

const FIND = `SELECT ${COLUMNS} FROM synap.sessions WHERE id = $1`;

/** Reads a session by its id, whether it has ended or not. */
export async function findSession(session: SqlSession, id: string): Promise<StoredSession | undefined> {
  const [row] = await session.query<SessionRow>(FIND, [id]);
  return row === undefined ? undefined : storedSession(row);
}

const PAGE = `
SELECT ${COLUMNS}
  FROM synap.sessions
 WHERE $1::text IS NULL OR (created_at, id) < (SELECT s.created_at, s.id FROM synap.sessions AS s WHERE s.id = $1::text)
 ORDER BY sessions.created_at DESC, id DESC
 LIMIT $2`;

const PAGE_SIZE = 100;

/** Reads all sessions, the newest first, a page at a time. */
export async function* listSessions(session: SqlSession): AsyncGenerator<Session, void, void> {
  for (let after: string | null = null; ; ) {
    const rows: readonly SessionRow[] = await session.query<SessionRow>(PAGE, [after, PAGE_SIZE]);
    for (const row of rows) {
      const { seal: _, ...shown } = storedSession(row);
      yield shown;
    }
    after = rows.at(-1)?.id ?? null;
    if (rows.length < PAGE_SIZE) return;
  }
}

const END = `
UPDATE synap.sessions SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL RETURNING id`;

/** Ends a session. Returns false when there is none with this id, or it was ended already. */
export async function endSession(database: SqlSession, id: string): Promise<boolean> {
  return (await database.query(END, [id])).length > 0;
}

const USE = `
UPDATE synap.sessions
   SET last_used_at = clock_timestamp(),
       idle_ends_at = least(ends_at, clock_timestamp() + interval '${SESSION_IDLE_HOURS} hours')
 WHERE id = $1 AND revoked_at IS NULL AND idle_ends_at > clock_timestamp()
   AND last_used_at < clock_timestamp() - interval '1 minute'`;

/** Records that a session is used, and moves its idle end, unless that was done less than a minute ago or it has ended. */
export async function recordSessionUse(session: SqlSession, id: string): Promise<void> {
  await session.query(USE, [id]);
}

interface SessionRow {
  readonly id: string;
  readonly kind: PrincipalKind;
  readonly principal_id: string;
  readonly scopes: string;
  readonly origin: string;
  readonly seal: string;
  readonly created_at: number;
  readonly last_used_at: number;
  readonly idle_ends_at: number;
  readonly ends_at: number;
  readonly revoked_at: number | null;
}

function storedSession(row: SessionRow): StoredSession {
  const { revoked_at: revoked } = row;
  return {
    id: row.id,
    kind: row.kind,
    principalId: row.principal_id,
    scopes: row.scopes.split(" ").filter((scope) => scope !== ""),
    origin: row.origin,
    seal: row.seal,
    createdAt: isoFromEpoch(row.created_at),
    lastUsedAt: isoFromEpoch(row.last_used_at),
    idleEndsAt: isoFromEpoch(row.idle_ends_at),
    endsAt: isoFromEpoch(row.ends_at),
    ...(revoked !== null && { revokedAt: isoFromEpoch(revoked) }),
  };
}
