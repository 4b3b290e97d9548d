import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import postgres, { type Sql } from "postgres";

/** A database without tables that nobody else uses. */
export interface EmptyDatabase {
  readonly url: string;
  /** Drops it, and then the named roles, except one that is in use elsewhere. */
  remove(rolesToo?: readonly string[]): Promise<void>;
}

/**
 * Makes an empty database on the server: the peers need no more than plain PostgreSQL.
 *
 * @param serverUrl a login that may create databases
 */
export async function createEmptyDatabase(serverUrl: string, purpose: string): Promise<EmptyDatabase> {
  const name = `synap_${purpose}_${randomBytes(4).toString("hex")}`;
  await withSql(serverUrl, (sql) => sql.unsafe(`CREATE DATABASE ${name}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const remove = (rolesToo: readonly string[] = []) =>
    withSql(serverUrl, async (sql) => {
      await untilLeft(sql, name);
      await sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      for (const role of rolesToo) await sql`DROP ROLE IF EXISTS ${sql(role)}`.catch(() => undefined);
    });
  return { url: url.href, remove };
}

/** The longest wait for connections that are closing, in milliseconds. Those that are left are cut off. */
const CLOSING_MS = 10_000;

/**
 * Waits until nobody is connected to the database. A pool of `pg` has "ended" while its connections still say goodbye, and one that
 * is cut off then emits an error that nothing can catch.
 */
async function untilLeft(sql: Sql, name: string): Promise<void> {
  for (const deadline = performance.now() + CLOSING_MS; performance.now() < deadline; await sleep(20)) {
    const connected = await sql`SELECT FROM pg_stat_activity WHERE datname = ${name} LIMIT 1`;
    if (connected.length === 0) return;
  }
}

/** Runs work on a new connection. */
export async function withSql<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
