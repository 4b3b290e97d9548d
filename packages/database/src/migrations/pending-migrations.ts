import { sqlState } from "../connection/database-errors.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { RELEASE } from "../release.ts";
import { type MigrationFile, readMigrationFiles, SQL_DIRECTORY } from "./migration-files.ts";
import { type AppliedFile, findPending, OWN_LEDGER, readLedger } from "./migration-ledger.ts";

const UNDEFINED_TABLE = "42P01";

// Read once: the files of a release don't change while it runs, and probes ask every few seconds.
const filesOf = new Map<string, Promise<MigrationFile[]>>();

/**
 * The names of this release's SQL files that the database has not had yet, in order: all of them when nobody ever
 * migrated it. One short query; changes nothing.
 *
 * @throws SchemaNewerError when the database has one that this release doesn't know; MigrationChangedError,
 * MigrationOutOfOrderError as `migrate` does
 */
export async function pendingMigrations(
  database: SqlSession,
  directory: string = SQL_DIRECTORY,
): Promise<string[]> {
  const files = await rememberedFiles(directory);
  const { numbered, definitions, dropped } = findPending(files, await readApplied(database), RELEASE);
  return [...numbered, ...definitions, ...dropped].map(({ name }) => name);
}

function rememberedFiles(directory: string): Promise<MigrationFile[]> {
  const known = filesOf.get(directory);
  if (known !== undefined) return known;
  const reading = readMigrationFiles(directory);
  filesOf.set(directory, reading);
  reading.catch(() => filesOf.delete(directory));
  return reading;
}

async function readApplied(database: SqlSession): Promise<AppliedFile[]> {
  try {
    return await readLedger(database, OWN_LEDGER);
  } catch (error) {
    if (sqlState(error) === UNDEFINED_TABLE) return [];
    throw error;
  }
}
