import { sqlState } from "../connection/database-errors.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { type MigrationSources, readLedgers } from "./ledgers.ts";
import { type MigrationFile, readMigrationFiles } from "./migration-files.ts";
import { type AppliedFile, findPending, OWN_LEDGER, readLedger } from "./migration-ledger.ts";

const UNDEFINED_TABLE = "42P01";

/** A SQL file that has not been applied to a database. */
export interface PendingMigration {
  /** The ledger of the file: an application's, or `synap`. */
  readonly ledger: string;
  readonly name: string;
}

/** True if a pending file belongs to this package and not to an application. */
export function isOwnMigration({ ledger }: PendingMigration): boolean {
  return ledger === OWN_LEDGER;
}

// Read once: the files of a release don't change while it runs, and probes ask every few seconds.
const filesOf = new Map<string, Promise<MigrationFile[]>>();

/**
 * Lists the SQL files of this release and of the applications that have not been applied, in the order in which `migrate`
 * applies them: all of them for a new database. Changes nothing.
 *
 * @throws SchemaNewerError when the database has a file that this release doesn't know; MigrationChangedError,
 * MigrationOutOfOrderError, MigrationLedgerInvalidError as `migrate` does
 */
export async function pendingMigrations(
  database: SqlSession,
  sources: MigrationSources = {},
): Promise<PendingMigration[]> {
  const pending: PendingMigration[] = [];
  for (const { name: ledger, files, release } of await readLedgers(sources, readCachedFiles)) {
    const found = findPending(ledger, files, await readApplied(database, ledger), release);
    for (const { name } of [...found.numbered, ...found.definitions, ...found.dropped]) {
      pending.push({ ledger, name });
    }
  }
  return pending;
}

function readCachedFiles(directory: string): Promise<MigrationFile[]> {
  const known = filesOf.get(directory);
  if (known !== undefined) return known;
  const reading = readMigrationFiles(directory);
  filesOf.set(directory, reading);
  reading.catch(() => filesOf.delete(directory));
  return reading;
}

async function readApplied(database: SqlSession, ledger: string): Promise<AppliedFile[]> {
  try {
    return await readLedger(database, ledger);
  } catch (error) {
    if (sqlState(error) === UNDEFINED_TABLE) return [];
    throw error;
  }
}
