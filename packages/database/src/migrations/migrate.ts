import { sqlState } from "../connection/database-errors.ts";
import type { Database, Transaction } from "../connection/sql-session.ts";
import { notify } from "../observers.ts";
import { type Exposure, findExposures, harden } from "../privileges/exposures.ts";
import { applyDefinitions, run } from "./apply-definitions.ts";
import { type Ledger, type MigrationSources, readLedgers } from "./ledgers.ts";
import {
  grantCreate,
  type LoginRights,
  quoteName,
  readLogin,
  requireRights,
  roleNotGranted,
} from "./login-rights.ts";
import { MigrationFailedError, PrivilegesMissingError, TimescaledbMissingError } from "./migration-errors.ts";
import type { MigrationFile } from "./migration-files.ts";
import { findPending, nameInMessages, readLedger } from "./migration-ledger.ts";
import { INSUFFICIENT_PRIVILEGE, prepare } from "./prepare-database.ts";

export interface MigrateOptions extends MigrationSources {
  /** Chunk interval of the hypertable, as a PostgreSQL interval. Only for a new database. Default "1 day". */
  readonly chunkInterval?: string | undefined;
  /** Called after each file that was applied, with its name and its ledger: an application's, or `synap`. */
  readonly onApplied?: ((name: string, ledger: string) => void) | undefined;
}

export interface MigrationReport {
  /** Names of the files that this call has applied; empty when none was pending. */
  readonly applied: readonly string[];
  readonly timescaledbVersion: string;
  /** The TimescaleDB edition found. Both work; only the Community edition compresses. */
  readonly edition: "community" | "apache";
  /** Rights by which other logins could damage the log and which this login may not revoke; see `HARDENING_STATEMENT`. */
  readonly exposures: readonly Exposure[];
}

/**
 * Migrates the database's schema to this release. Idempotent and safe to run concurrently: each numbered file
 * is applied in a separate transaction that first takes a lock and reads which files have been applied. Functions and
 * views whose text has changed follow in one transaction.
 * @throws SchemaNewerError, MigrationChangedError, MigrationOutOfOrderError, MigrationFileInvalidError, SignatureChangedError,
 * TimescaledbMissingError, MigrationFailedError, PrivilegesMissingError
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<MigrationReport> {
  const ledgers = await readLedgers(options);
  const login = await readLogin(database);
  if (login.schemaOwner !== null && !login.ownsSchema) {
    return checkMigrated(database, login, ledgers);
  }
  requireRights(login);
  await prepare(database, login);

  const applied: string[] = [];
  for (const ledger of ledgers) {
    for (;;) {
      const names = await applyNext(database, login, ledger, options.chunkInterval ?? "1 day");
      if (names === undefined) break;
      applied.push(...names);
      for (const name of names) notify(options.onApplied, name, ledger.name);
    }
  }

  const migrated = await readLogin(database);
  if (!migrated.maySetRole) throw roleNotGranted(migrated);
  const exposures = await harden(database);
  return report(database, applied, exposures);
}

/** Reports the database's state after a run. */
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

/** Checks that another login has applied all migrations, for a login that runs the application and owns nothing. */
async function checkMigrated(
  database: Database,
  login: LoginRights,
  ledgers: readonly Ledger[],
): Promise<MigrationReport> {
  if (!login.maySetRole) throw roleNotGranted(login);
  for (const ledger of ledgers) {
    const pending = findPending(
      ledger.name,
      ledger.files,
      await readLedger(database, ledger.name),
      ledger.release,
    );
    const next = pending.numbered[0] ?? pending.definitions[0] ?? pending.dropped[0];
    if (next === undefined) continue;
    throw new PrivilegesMissingError(
      login.name,
      `may not migrate, and ${next.name} is not applied: run "migrate" as "${login.schemaOwner}", or let this login do it`,
      [`GRANT ${quoteName(login.schemaOwner ?? "")} TO ${quoteName(login.name)}`],
    );
  }
  return report(database, [], await findExposures(database));
}

/** True if a file was refused because the login may not create schemas. Not by the message, which may be translated. */
function isRefusedByDatabase(error: unknown, { mayCreateSchemas }: LoginRights): boolean {
  const cause = error instanceof MigrationFailedError ? error.cause : undefined;
  return !mayCreateSchemas && sqlState(cause) === INSUFFICIENT_PRIVILEGE;
}

function mayNotCreateSchemas(login: LoginRights, file: string, cause: unknown): PrivilegesMissingError {
  return new PrivilegesMissingError(
    login.name,
    `may not create schemas in this database, as ${file} does`,
    [grantCreate(login)],
    { cause },
  );
}

/** Applies the next numbered file, or all functions and views at once. Returns their names; empty when none is pending. */
async function applyNext(
  database: Database,
  login: LoginRights,
  ledger: Ledger,
  chunkInterval: string,
): Promise<string[] | undefined> {
  return database.asOwner(async (transaction) => {
    await takeLock(transaction);
    const applied = await readLedger(transaction, ledger.name);
    const pending = findPending(ledger.name, ledger.files, applied, ledger.release);
    const fileName = (name: string) => nameInMessages(ledger.name, name);
    const [file] = pending.numbered;
    if (file !== undefined) {
      await transaction.query("SELECT set_config('synap.chunk_interval', $1, true)", [chunkInterval]);
      await run(transaction, fileName(file.name), file.sql).catch((error: unknown) => {
        throw isRefusedByDatabase(error, login) ? mayNotCreateSchemas(login, file.name, error) : error;
      });
      // It may have dropped functions and views, or their dependencies.
      await transaction.query(
        "UPDATE synap.migrations SET checksum = '' WHERE ledger = $1 AND object IS NOT NULL",
        [ledger.name],
      );
      await record(transaction, ledger, [file]);
      return [file.name];
    }
    const { definitions, dropped } = pending;
    if (definitions.length + dropped.length === 0) return undefined;
    await applyDefinitions(transaction, fileName, definitions, dropped);
    await transaction.query(
      `DELETE FROM synap.migrations
        WHERE ledger = $1 AND name IN (SELECT jsonb_array_elements_text($2::text::jsonb))`,
      [ledger.name, JSON.stringify(dropped.map(({ name }) => name))],
    );
    await record(transaction, ledger, definitions);
    return [...definitions, ...dropped].map(({ name }) => name);
  });
}

async function record(
  transaction: Transaction,
  ledger: Ledger,
  files: readonly MigrationFile[],
): Promise<void> {
  await transaction.query(
    `INSERT INTO synap.migrations (ledger, release, name, checksum, object)
     SELECT $1, $2, f.name, f.checksum, f.object
       FROM jsonb_to_recordset($3::text::jsonb) AS f(name text, checksum text, object text)
     ON CONFLICT (ledger, name) DO UPDATE
       SET checksum = excluded.checksum, release = excluded.release, object = excluded.object, applied_at = now()`,
    [
      ledger.name,
      ledger.release,
      JSON.stringify(
        files.map(({ name, checksum, object }) => ({
          name,
          checksum,
          object: object === undefined ? null : `${object.schema}.${object.name}`,
        })),
      ),
    ],
  );
}

/**
 * Excludes other migrators until the transaction ends. Locks a table, because an advisory lock can be taken by any
 * login, which would stop every start.
 */
async function takeLock(transaction: Transaction): Promise<void> {
  await transaction.query("LOCK TABLE synap.migrations IN EXCLUSIVE MODE");
}
