import { setTimeout } from "node:timers/promises";
import { isUnavailable, sqlState } from "../connection/database-errors.ts";
import type { Database, Transaction } from "../connection/sql-session.ts";
import { grantCreate, type LoginRights } from "./login-rights.ts";
import { PrivilegesMissingError, TimescaledbMissingError } from "./migration-errors.ts";
import { OWN_LEDGER } from "./migration-ledger.ts";

/** Number of attempts of the first steps while other processes take them as well. */
const PREPARE_ATTEMPTS = 20;

/**
 * Creates the prerequisites of the first file: the extension, the schema, and the ledger. Nothing
 * can be locked yet, so all but one of several processes may fail and try again.
 */
export async function prepare(database: Database, login: LoginRights): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (await isPrepared(database)) return;
      await database.asOwner(async (transaction) => {
        await createTimescaledb(transaction);
        await transaction.execute(`
          CREATE SCHEMA IF NOT EXISTS synap;
          CREATE TABLE IF NOT EXISTS synap.migrations (
            ledger     text           NOT NULL DEFAULT '${OWN_LEDGER}' COLLATE "C",
            name       text           NOT NULL COLLATE "C",
            checksum   text           NOT NULL,
            release    text           NOT NULL,
            -- What a file of a function or a view defines; null for a numbered file.
            object     text,
            applied_at timestamptz(3) NOT NULL DEFAULT now(),
            PRIMARY KEY (ledger, name)
          );`);
      });
      return;
    } catch (error) {
      const state = sqlState(error);
      if (state === INSUFFICIENT_PRIVILEGE) {
        throw new PrivilegesMissingError(
          login.name,
          "may not create the schema or the extension TimescaleDB in this database",
          ["CREATE EXTENSION IF NOT EXISTS timescaledb SCHEMA public", grantCreate(login)],
          { cause: error },
        );
      }
      if (attempt === PREPARE_ATTEMPTS || state === undefined || !CREATED_CONCURRENTLY.has(state))
        throw error;
      await setTimeout(50);
    }
  }
}

/** SQLSTATEs of a concurrent creation: unique_violation in a catalogue, duplicate_schema, duplicate_table, duplicate_object. */
export const INSUFFICIENT_PRIVILEGE = "42501";
const CREATED_CONCURRENTLY: ReadonlySet<string> = new Set(["23505", "42P06", "42P07", "42710"]);

async function isPrepared(database: Database): Promise<boolean> {
  const [row] = await database.asOwner((owner) =>
    owner.query<{ prepared: boolean }>(`
      SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
             AND EXISTS (
               SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = 'synap' AND c.relname = 'migrations') AS prepared`),
  );
  return row?.prepared === true;
}

async function createTimescaledb(transaction: Transaction): Promise<void> {
  const [found] = await transaction.query<{ installed: boolean; available: boolean }>(`
    SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS installed,
           EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') AS available`);
  if (found?.installed) return;
  if (!found?.available) throw new TimescaledbMissingError("this server doesn't have it");
  try {
    await transaction.execute("CREATE EXTENSION timescaledb SCHEMA public");
  } catch (error) {
    const state = sqlState(error);
    if (isUnavailable(error) && state?.startsWith("58") !== true) throw error;
    if (state === INSUFFICIENT_PRIVILEGE || (state !== undefined && CREATED_CONCURRENTLY.has(state)))
      throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TimescaledbMissingError(`it can't be created here (${reason})`, { cause: error });
  }
}
