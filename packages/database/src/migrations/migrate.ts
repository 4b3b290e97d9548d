import { setTimeout } from "node:timers/promises";
import { isUnavailable, sqlState } from "../connection/database-errors.ts";
import type { Database, Transaction } from "../connection/sql-session.ts";
import { type Exposure, findExposures, harden } from "../privileges/exposures.ts";
import {
  type LoginRights,
  quoteName,
  readLogin,
  requireRoles,
  roleNotGranted,
} from "../privileges/login-rights.ts";
import { RELEASE } from "../release.ts";
import {
  MigrationChangedError,
  MigrationFailedError,
  PrivilegesMissingError,
  SchemaNewerError,
  TimescaledbMissingError,
} from "./migration-errors.ts";
import { MIGRATIONS_DIRECTORY, type MigrationFile, readMigrationFiles } from "./migration-files.ts";

export interface MigrateOptions {
  /** Where the SQL files are. Default: `migrations-pg` of this repository. */
  readonly directory?: string | undefined;
  /** How much time one chunk of the hypertable holds, as a PostgreSQL interval. Only for a new database. Default "1 day". */
  readonly chunkInterval?: string | undefined;
  /** Written beside each migration. Default: the release of this package. */
  readonly release?: string | undefined;
  /** Called after each file that was applied. */
  readonly onApplied?: ((name: string) => void) | undefined;
}

export interface MigrationReport {
  /** Names of the files that this call has applied; empty when there was nothing to do. */
  readonly applied: readonly string[];
  readonly timescaledbVersion: string;
  /** The TimescaleDB edition found. Both work; see docs/store.md for the difference. */
  readonly edition: "community" | "apache";
  /** What lets other logins harm the log and this login may not end; see `HARDENING_STATEMENT`. */
  readonly exposures: readonly Exposure[];
}

/**
 * Brings the database's schema up to this release. Repeatable, and safe from several processes at once: each file is a
 * transaction of its own that begins by taking one lock and looking at what has been applied meanwhile.
 * @throws SchemaNewerError, MigrationChangedError, TimescaledbMissingError, MigrationFailedError, PrivilegesMissingError
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<MigrationReport> {
  const files = await readMigrationFiles(options.directory ?? MIGRATIONS_DIRECTORY);
  const release = options.release ?? RELEASE;
  const login = await readLogin(database);
  if (login.schemaOwner !== null && !login.ownsSchema) {
    return checkMigrated(database, login, files);
  }
  requireRoles(login);
  await prepare(database, login);

  const applied: string[] = [];
  for (;;) {
    const name = await applyNext(database, login, files, release, options.chunkInterval ?? "1 day");
    if (name === undefined) break;
    applied.push(name);
    options.onApplied?.(name);
  }

  const migrated = await readLogin(database);
  if (!migrated.maySetRole) throw roleNotGranted(migrated);
  const exposures = await harden(database);
  return report(database, applied, exposures);
}

/** Ends a run: what the database is now. */
async function report(
  database: Database,
  applied: readonly string[],
  exposures: readonly Exposure[],
): Promise<MigrationReport> {
  await database.refresh();
  const { timescaledbVersion, edition } = database.capabilities;
  if (timescaledbVersion === undefined || edition === undefined) {
    throw new TimescaledbMissingError("it is not in this database after migrating");
  }
  return { applied, timescaledbVersion, edition, exposures };
}

/** For a login that runs the application and owns nothing: somebody else has migrated, and completely. */
async function checkMigrated(
  database: Database,
  login: LoginRights,
  files: readonly MigrationFile[],
): Promise<MigrationReport> {
  if (!login.maySetRole) throw roleNotGranted(login);
  const next = findPending(files, await database.query<AppliedRow>(APPLIED));
  if (next !== undefined) {
    throw new PrivilegesMissingError(
      login.name,
      `may not migrate, and ${next.name} is not applied: run "migrate" as "${login.schemaOwner}", or let this login do it`,
      [`GRANT ${quoteName(login.schemaOwner ?? "")} TO ${quoteName(login.name)}`],
    );
  }
  return report(database, [], await findExposures(database));
}

/** How often the first steps are tried while others take them as well. */
const PREPARE_ATTEMPTS = 20;

/**
 * What must be there before the first file: the extension, our schema, and the list of what was applied. Nothing of ours
 * can be locked yet, so of several processes all but one may fail, and look again.
 */
async function prepare(database: Database, login: LoginRights): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (await isPrepared(database)) return;
      await database.asOwner(async (transaction) => {
        await createTimescaledb(transaction);
        await transaction.execute(`
          CREATE SCHEMA IF NOT EXISTS synap;
          CREATE TABLE IF NOT EXISTS synap.migrations (
            name       text           PRIMARY KEY,
            checksum   text           NOT NULL,
            release    text           NOT NULL,
            applied_at timestamptz(3) NOT NULL DEFAULT now()
          );`);
      });
      return;
    } catch (error) {
      const state = sqlState(error);
      if (state === INSUFFICIENT_PRIVILEGE) {
        const database = quoteName(login.database);
        throw new PrivilegesMissingError(
          login.name,
          "may not create the schema or the extension TimescaleDB in this database",
          [
            "CREATE EXTENSION IF NOT EXISTS timescaledb SCHEMA public",
            `ALTER DATABASE ${database} OWNER TO ${quoteName(login.name)}`,
          ],
          { cause: error },
        );
      }
      if (attempt === PREPARE_ATTEMPTS || state === undefined || !CREATED_MEANWHILE.has(state)) throw error;
      await setTimeout(50);
    }
  }
}

/** Created by somebody else at this moment: unique_violation in a catalogue, duplicate_schema, duplicate_table, duplicate_object. */
const INSUFFICIENT_PRIVILEGE = "42501";
const CREATED_MEANWHILE: ReadonlySet<string> = new Set(["23505", "42P06", "42P07", "42710"]);

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
    if (state === INSUFFICIENT_PRIVILEGE || (state !== undefined && CREATED_MEANWHILE.has(state)))
      throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TimescaledbMissingError(`it can't be created here (${reason})`, { cause: error });
  }
}

/** PostgreSQL names the database only where CREATE on it is missing; its other refusals name the object. */
function isRefusedByDatabase(error: unknown): boolean {
  return (
    sqlState(error) === INSUFFICIENT_PRIVILEGE &&
    error instanceof Error &&
    error.message.includes("permission denied for database")
  );
}

async function applyNext(
  database: Database,
  login: LoginRights,
  files: readonly MigrationFile[],
  release: string,
  chunkInterval: string,
): Promise<string | undefined> {
  return database.asOwner(async (transaction) => {
    await takeLock(transaction);
    const file = findPending(files, await transaction.query<AppliedRow>(APPLIED));
    if (file === undefined) return undefined;
    await transaction.query("SELECT set_config('synap.chunk_interval', $1, true)", [chunkInterval]);
    try {
      await transaction.execute(file.sql);
    } catch (error) {
      if (isUnavailable(error)) throw error;
      if (isRefusedByDatabase(error)) {
        throw new PrivilegesMissingError(
          login.name,
          `may not create schemas in this database, as ${file.name} does`,
          [`GRANT CREATE ON DATABASE ${quoteName(login.database)} TO ${quoteName(login.name)}`],
          { cause: error },
        );
      }
      throw new MigrationFailedError(file.name, { cause: error });
    }
    await transaction.query("INSERT INTO synap.migrations (name, checksum, release) VALUES ($1, $2, $3)", [
      file.name,
      file.checksum,
      release,
    ]);
    return file.name;
  });
}

interface AppliedRow {
  readonly name: string;
  readonly checksum: string;
  readonly release: string;
}

const APPLIED = "SELECT name, checksum, release FROM synap.migrations ORDER BY name";

function findPending(
  files: readonly MigrationFile[],
  applied: readonly AppliedRow[],
): MigrationFile | undefined {
  const known = new Map(files.map((file) => [file.name, file]));
  for (const row of applied) {
    const file = known.get(row.name);
    if (file === undefined) throw new SchemaNewerError(row.name, row.release);
    if (file.checksum !== row.checksum) throw new MigrationChangedError(row.name);
    known.delete(row.name);
  }
  return known.values().next().value;
}

/**
 * One migrator at a time, until the end of the transaction. It locks a table, because an advisory lock can be taken by any
 * login, which would stop every start.
 */
async function takeLock(transaction: Transaction): Promise<void> {
  await transaction.query("LOCK TABLE synap.migrations IN EXCLUSIVE MODE");
}
