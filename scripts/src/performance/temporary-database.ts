import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, migrate, openDatabase } from "@synap/database";
import postgres from "postgres";

/** A migrated database that nobody else uses, and that is gone afterwards. */
export interface TemporaryDatabase {
  readonly database: Database;
  /** The server's URL of this database; undefined when embedded. */
  readonly url?: string;
  /** Options to open it again: from other processes on a server, after closing it when embedded. */
  readonly location: { readonly url: string } | { readonly dataDirectory: string };
  remove(): Promise<void>;
}

/**
 * Makes a database for a measurement: one of its own on a server, which leaves the server's other databases alone,
 * or an embedded one in a temporary directory.
 *
 * @param serverUrl a login that may create databases; undefined for the embedded engine
 */
export async function createTemporaryDatabase(
  serverUrl: string | undefined,
  purpose: string,
): Promise<TemporaryDatabase> {
  const made = serverUrl === undefined ? await embedded(purpose) : await onServer(serverUrl, purpose);
  try {
    await migrate(made.database);
    return made;
  } catch (error) {
    await made.remove();
    throw error;
  }
}

async function embedded(purpose: string): Promise<TemporaryDatabase> {
  const directory = mkdtempSync(join(tmpdir(), `synap-${purpose}-`));
  const database = await openDatabase({ dataDirectory: directory });
  const remove = async () => {
    await database.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { database, location: { dataDirectory: directory }, remove };
}

async function onServer(serverUrl: string, purpose: string): Promise<TemporaryDatabase> {
  const name = `synap_${purpose}_${randomBytes(4).toString("hex")}`;
  await administer(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const drop = () => administer(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  try {
    const database = await openDatabase({ url: url.href });
    const remove = async () => {
      await database.close();
      await drop();
    };
    return { database, url: url.href, location: { url: url.href }, remove };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function administer(serverUrl: string, statement: string): Promise<void> {
  const sql = postgres(serverUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
